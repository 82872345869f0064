//! Turns sign-ups into mail.

/// Handles what the page took in.
pub struct SignupStep;
