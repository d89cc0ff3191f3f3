//! What may be used at a place at most.

use serde::{Deserialize, Serialize};

/// Limits of each worker process of a place, as a container has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceLimits {
    /// CPU quota in thousandths of a core; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millicores: Option<u32>,
    /// Memory in bytes; `None` for all that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl PlaceLimits {
    /// True where there is none.
    pub fn is_empty(self) -> bool {
        self == PlaceLimits::default()
    }
}
