<?php
// Fills a site with a diary in one language, whose feeds people follow: php diary.php SITE LANGUAGE
// The categories of two languages get the same numbers and other meanings, as two real sites have.
require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/taxonomy.php';
$ja = 'ja' === ( $argv[2] ?? 'en' );

update_option( 'blogname', $ja ? '港の日記' : 'The harbour diary' );
update_option( 'posts_per_rss', 10 ); // as a new WordPress has it
update_option( 'WPLANG', $ja ? 'ja' : '' );

function term( $taxonomy, $name, $slug, $parent = 0 ) {
	$made = wp_insert_term( $name, $taxonomy, array( 'slug' => $slug, 'parent' => $parent ) );
	if ( is_wp_error( $made ) ) {
		fwrite( STDERR, "$name: " . $made->get_error_message() . "\n" );
		exit( 1 );
	}
	return $made['term_id'];
}

$names = $ja
	? array( array( '声明', '声明' ), array( 'お知らせ', 'お知らせ' ), array( '村', 'villages' ), array( '遠い村', '遠い村' ) )
	: array( array( 'News', 'news' ), array( 'Villages & people', 'villages' ), array( 'Far villages', 'far-villages' ), array( 'Statements', 'statements' ) );
$categories = array();
foreach ( $names as $n => list( $name, $slug ) ) {
	// The Japanese fourth lies below the third, the English third below the second.
	$parent       = ( $ja ? 3 : 2 ) === $n ? end( $categories ) : 0;
	$categories[] = term( 'category', $name, $slug, $parent );
}
$tags    = $ja ? array( '冬', '食べもの' ) : array( 'winter', 'Food & fuel' );
$authors = array();
foreach ( array( array( 'hana', $ja ? '森 花' : 'Hana Mori' ), array( 'k.lee', 'K. Lee & friends' ) ) as list( $login, $name ) ) {
	$authors[] = wp_insert_user( array( 'user_login' => $login, 'user_pass' => wp_generate_password(), 'user_email' => "$login@example.org", 'display_name' => $name, 'role' => 'editor' ) );
}

for ( $i = 0; $i < 30; $i++ ) {
	$time = gmmktime( 1, 30, 0, 3, 1, 2025 ) + $i * 9 * 86400 + $i % 7 * 3600;
	$post = array(
		'post_title'    => ( $ja ? "第{$i}日 「港」& <b>海</b> ]]>" : "Day $i: R&amp;D, \"boats\" & 3 &lt; 4" ) . ( 3 === $i % 4 ? " \u{1f54a}" : '' ),
		'post_name'     => $ja && $i % 2 ? "第{$i}日" : "day-$i",
		'post_content'  => $ja ? "潮が変わる前に舟は出ました。\n\n第{$i}日。" : "The boat left before the tide turned.\n\nDay $i. <a href=\"/?p=2\">Before</a> ]]>",
		'post_date'     => gmdate( 'Y-m-d H:i:s', $time + 9 * 3600 ),
		'post_date_gmt' => gmdate( 'Y-m-d H:i:s', $time ),
		'post_status'   => 'publish',
		'post_author'   => $authors[ $i % 2 ],
		'post_category' => 0 === $i % 5 ? array( $categories[0], $categories[3] ) : array( $categories[ $i % 4 ] ),
		'tags_input'    => array( $tags[ $i % 2 ] ),
	);
	// Sites that were moved keep the ids they had.
	if ( 0 === $i % 6 ) {
		$post['guid'] = "http://old.example.org/$argv[2]/2009/%e6%97%a5%e6%9c%ac-$i/";
	} elseif ( 0 === $i % 11 ) {
		$post['guid'] = "http://www.example.org/?p=$i&#038;lang=" . ( $ja ? 'ja' : 'en' );
	}
	$id = wp_insert_post( wp_slash( $post ), true );
	if ( 0 === $i % 3 ) {
		wp_insert_comment( array( 'comment_post_ID' => $id, 'comment_author' => 'A reader', 'comment_author_email' => 'reader@example.org', 'comment_content' => "Thank you $i", 'comment_approved' => 1, 'comment_date' => gmdate( 'Y-m-d H:i:s', $time + 86400 ) ) );
	}
	$changed = 0 === $i % 4 ? $time + 3600 : $time;
	$wpdb->update( $wpdb->posts, array( 'post_modified_gmt' => gmdate( 'Y-m-d H:i:s', $changed ), 'post_modified' => gmdate( 'Y-m-d H:i:s', $changed + 9 * 3600 ) ), array( 'ID' => $id ) );
}
global $wp_rewrite;
$wp_rewrite->set_permalink_structure( '/%year%/%monthnum%/%postname%/' );
$wp_rewrite->flush_rules( false );
fwrite( STDERR, ( $ja ? 'a Japanese' : 'an English' ) . " diary of 30 days is written\n" );
