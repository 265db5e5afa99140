//! The managed user's money in access mode `self_service`: a standard group serves only who has a
//! balance above zero (`host-contract.md` 6, trap 10).

use super::plan::ImportRequest;
use crate::batch::AccessMode;
use crate::pack::ProviderPack;

/// USD that a managed user gets when it has too little: some thousand proofs, and no more than
/// somebody would miss.
pub const STARTING_BALANCE: f64 = 5.0;

/// USD under which it has too little.
pub const LEAST_BALANCE: f64 = 1.0;

/// Whether proofs can be paid from it.
pub fn is_enough(balance: f64) -> bool {
    balance >= LEAST_BALANCE
}

impl ImportRequest {
    /// Whether a user can pay. Managed ones have some in reserve; of other people's it is asked that
    /// there is any.
    pub fn can_pay(&self, balance: f64) -> bool {
        if self.user_key.is_some() {
            balance > 0.0
        } else {
            is_enough(balance)
        }
    }
}

/// An amount as people read it.
pub fn usd(amount: f64) -> String {
    format!("{amount:.2} USD")
}

/// What follows the names of a pack's group and channel in access mode `self_service`.
const SUFFIX: &str = "-self-service";

impl ProviderPack {
    /// The pack with the names of its frame in an access mode. A host's group is of one type, so
    /// the two modes have a group and a channel each and stand side by side; the sale offer is of
    /// subscription groups only.
    #[must_use]
    pub fn for_access(mut self, access: AccessMode) -> Self {
        if access == AccessMode::SelfService {
            self.subscription.group.push_str(SUFFIX);
            self.subscription.channel.push_str(SUFFIX);
            self.subscription.plan.clear();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_enough_and_zero_is_not() {
        assert!(is_enough(STARTING_BALANCE) && is_enough(LEAST_BALANCE));
        assert!(!is_enough(0.0) && !is_enough(-0.01) && !is_enough(0.99));
        assert_eq!(usd(STARTING_BALANCE), "5.00 USD");
    }
}
