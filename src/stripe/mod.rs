//! One Stripe account over HTTP; knows nothing of stages.

/// Placeholder until the client lands.
pub struct Reader;
