//! Mail addresses: what is accepted is one line, short, and accepted again as it is.
#![no_main]

use clarion::address::{Address, Mailbox};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Ok(address) = Address::parse(&text) {
        let kept = address.expose();
        assert!(kept.len() <= 254 && !kept.contains(|c: char| c.is_control() || c.is_whitespace() || "<>\"".contains(c)));
        assert_eq!(Address::parse(kept).unwrap().expose(), kept);
    }
    if let Ok(mailbox) = Mailbox::parse(&text) {
        assert!(!mailbox.name.contains(char::is_control));
    }
});
