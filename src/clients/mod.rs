//! What runs in workers and which Kafka client it has: names and aliases of its properties, their defaults, and what one
//! client has instead of a property of another. Knows nothing of scenarios and makes no client.

/// The name of tandem's own worker among the apps.
pub const OWN_APP: &str = "tandem";
