//! Schedules: the next run is after now, in every zone.
#![no_main]

use clarion::clock::{Timestamp, parse_zone};
use clarion::digest::Schedule;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let Ok(schedule) = Schedule::parse(&text) else { return };
    let now = Timestamp::from_millis(1_800_000_000_000);
    for zone in ["Asia/Tokyo", "Europe/Berlin"] {
        let zone = parse_zone(zone).unwrap();
        if let Some(next) = schedule.next_after(now, &zone) {
            assert!(next > now);
            assert_eq!(schedule.last_between(now, next, &zone), Some(next));
        }
    }
});
