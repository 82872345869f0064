//! Makes deliveries leave.

/// Sends what is due.
pub struct DeliveryStep;
