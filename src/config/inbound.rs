//! `[inbound]`: by which ways mail comes in.

use super::sections::{beside, parsed, server};
use crate::clock::parse_duration;
use crate::inbound::{After, ImapSettings, Settings};
use crate::mail::Tls;
use crate::problem::{Reason, Table};
use std::path::Path;
use std::time::Duration;

/// Reads the section; without it nothing comes in.
pub(super) fn read(table: &mut Table<'_>, folder: &Path) -> Settings {
    let pipe = table.or("pipe", false);
    let maildir = parsed(table, "maildir", |path| {
        let dir = beside(folder, path);
        if dir.join("new").is_dir() && dir.join("cur").is_dir() {
            Ok(dir)
        } else {
            Err(Reason::new(
                format!("{} is not a Maildir: it has no folders new and cur", dir.display()),
                "name the Maildir into which the mail server delivers, or make it with: mkdir -p DIR/new DIR/cur DIR/tmp",
            ))
        }
    });
    let imap = table.table("imap", |table| imap(table, folder)).flatten();
    let settings = Settings { pipe, maildir, imap, join: table.optional("join"), leave: table.optional("leave") };
    if !settings.is_open() && (settings.join.is_some() || settings.leave.is_some()) {
        let reason = Reason::new(
            "`join` and `leave` in [inbound] are addresses that nobody reads",
            "say how mail comes in: pipe = true, maildir = \"…\", or a section [inbound.imap]",
        );
        table.reading().tell(table.place(), reason);
    }
    settings
}

fn imap(table: &mut Table<'_>, folder: &Path) -> Option<ImapSettings> {
    let place = table.place().clone();
    let server = server(table, folder, 993, Tls::Implicit, "the password");
    let mailbox = table.or("folder", "INBOX".to_owned());
    let move_to: Option<String> = table.optional("move_to");
    let delete = table.or("delete", false);
    let every = parsed(table, "every", |text| {
        let every = parse_duration(text)?;
        if (Duration::from_secs(10)..=Duration::from_hours(24)).contains(&every) {
            Ok(every)
        } else {
            Err(Reason::new("out of range", "write 10s to 24h; 5m is usual"))
        }
    });
    let after = match (move_to, delete) {
        (Some(_), true) => {
            let reason = Reason::new("`move_to` and `delete` exclude each other", "remove one of them");
            table.reading().tell(&place, reason);
            return None;
        }
        (Some(folder), false) => After::Move(folder),
        (None, true) => After::Delete,
        (None, false) => After::Flag,
    };
    let server = server?;
    if server.credentials.is_none() {
        let reason = Reason::new("a mailbox cannot be opened without `user` and `password_file`", "add both");
        table.reading().tell(&place, reason);
        return None;
    }
    Some(ImapSettings { server, folder: mailbox, after, every: every.unwrap_or(Duration::from_mins(5)) })
}
