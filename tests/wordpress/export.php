<?php
// Prints the export that WordPress makes itself: php export.php SITE [STRUCTURE]
// STRUCTURE is a permalink structure that is set first, or "plain".
require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/export.php';
if ( '' !== ( $argv[2] ?? '' ) ) {
	$wp_rewrite->set_permalink_structure( 'plain' === $argv[2] ? '' : $argv[2] );
	$wp_rewrite->flush_rules( false );
}
export_wp( array( 'content' => 'all' ) );
