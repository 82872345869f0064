<?php
// What two plugins of the field leave in a site: Polylang's languages as taxonomies, and the
// addresses of Custom Permalinks. Written from how their data looks, without their code.
add_action(
	'init',
	function () {
		foreach ( array( 'language', 'post_translations', 'term_language', 'term_translations' ) as $taxonomy ) {
			$of = 0 === strpos( $taxonomy, 'term_' ) ? array( 'term' ) : array( 'post', 'page' );
			register_taxonomy( $taxonomy, $of, array( 'public' => false, 'query_var' => false, 'rewrite' => false, 'show_in_rest' => false ) );
		}
	}
);
add_filter(
	'post_link',
	function ( $link, $post ) {
		$own = get_post_meta( $post->ID, 'custom_permalink', true );
		return $own ? home_url( '/' . $own ) : $link;
	},
	10,
	2
);
add_filter(
	'request',
	function ( $query ) {
		global $wpdb;
		$path = ltrim( rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'] ?? '', PHP_URL_PATH ) ), '/' );
		$id   = '' === $path ? null : $wpdb->get_var( $wpdb->prepare( "SELECT post_id FROM $wpdb->postmeta WHERE meta_key = 'custom_permalink' AND meta_value = %s", $path ) );
		return $id ? array( 'p' => (int) $id ) : $query;
	}
);
