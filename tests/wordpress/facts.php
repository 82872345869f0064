<?php
// What WordPress itself says of every post and page, one JSON object a line: php facts.php SITE
require __DIR__ . '/load.php';
$posts = $wpdb->get_results( "SELECT * FROM $wpdb->posts WHERE post_type IN ('post', 'page') ORDER BY ID" );
foreach ( $posts as $post ) {
	$post  = get_post( $post->ID );
	$terms = function ( $taxonomy ) use ( $post ) {
		$found = get_the_terms( $post->ID, $taxonomy );
		return $found && ! is_wp_error( $found ) ? array_map( fn( $term ) => html_entity_decode( $term->name, ENT_QUOTES ), array_values( $found ) ) : array();
	};
	$shown = $wpdb->get_var( $wpdb->prepare( "SELECT guid FROM $wpdb->posts WHERE ID = %d", $post->ID ) );
	echo json_encode(
		array(
			'id'         => (int) $post->ID,
			'type'       => $post->post_type,
			'status'     => $post->post_status,
			'protected'  => '' !== $post->post_password,
			'guid'       => $shown,
			'permalink'  => get_permalink( $post ),
			'title'      => $post->post_title,
			'date_gmt'   => $post->post_date_gmt,
			'modified_gmt' => $post->post_modified_gmt,
			'categories' => $terms( 'category' ),
			'tags'       => $terms( 'post_tag' ),
			'language'   => get_the_terms( $post->ID, 'language' ) ? get_the_terms( $post->ID, 'language' )[0]->slug : null,
			'author'     => get_the_author_meta( 'display_name', $post->post_author ),
			'autop'      => has_blocks( $post->post_content ) ? null : wpautop( $post->post_content ),
			'content'    => $post->post_content,
		),
		JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE
	), "\n";
}
