//! Confirmation and preference mails.
