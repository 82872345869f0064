<?php
// Installs WordPress without a browser: php install.php SITE
define( 'WP_INSTALLING', true );
require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter( 'pre_wp_mail', '__return_false' );
wp_install( 'The Harbour', 'office', 'office@example.org', true, '', 'not a secret' );
update_option( 'timezone_string', 'Asia/Tokyo' );
update_option( 'gmt_offset', '' );
update_option( 'blogdescription', 'News for people who help' );
update_option( 'permalink_structure', '/%year%/%monthnum%/%postname%/' );
update_option( 'posts_per_rss', 100 );
update_option( 'default_ping_status', 'closed' );
foreach ( get_posts( array( 'post_type' => 'any', 'post_status' => 'any', 'numberposts' => -1 ) ) as $post ) {
	wp_delete_post( $post->ID, true );
}
fwrite( STDERR, 'WordPress ' . get_bloginfo( 'version' ) . " is installed\n" );
