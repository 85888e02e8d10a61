//! The checks of the suite.

use super::{
    Capability, CheckRun, HarnessFuture, Payer, ProviderHarness, account_updates, authentication,
    authorizations, collections, credentials, direct_debits, notifications, operations, payouts,
    terms, transfers, wallets,
};

/// One check of the suite.
#[derive(Clone, Copy)]
pub struct Check {
    /// A sentence about a provider that passes.
    pub name: &'static str,
    /// The capability that it checks.
    pub capability: Capability,
    body: for<'a> fn(&'a CheckRun<'a>) -> HarnessFuture<'a, ()>,
}

impl Check {
    /// Runs the check.
    ///
    /// # Panics
    /// If it fails, with a sentence about what the provider did instead.
    pub async fn run(&self, harness: &dyn ProviderHarness) {
        let run = CheckRun::new(harness, self.capability, self.name);
        (self.body)(&run).await;
    }
}

macro_rules! checks {
    ($($capability:ident { $($module:ident::$name:ident $(($payer:ident))?,)* })*) => {
        &[$($(Check {
            name: stringify!($name),
            capability: Capability::$capability,
            body: |run| Box::pin($module::$name(run $(, Payer::$payer)?)),
        },)*)*]
    };
}

/// Every check, in the order of execution.
pub const CHECKS: &[Check] = checks! {
    Acquirer {
        terms::terms_are_well_formed,
        terms::what_the_terms_exclude_is_not_approved,
        authorizations::repeated_authorization_reserves_once(Card),
        authorizations::concurrent_duplicates_reserve_once(Card),
        authorizations::another_amount_under_the_same_reference_reserves_nothing(Card),
        authorizations::repeated_authorization_after_a_void_reserves_nothing(Card),
        authorizations::inquiry_gives_the_decision(Card),
        authorizations::unknown_reference_is_tombstoned_by_an_inquiry(Card),
        authorizations::lost_request_was_never_received(Card),
        authorizations::lost_response_is_found_by_an_inquiry(Card),
        authorizations::late_request_finds_the_tombstone(Card),
        authorizations::late_answer_is_the_one_that_an_inquiry_gives(Card),
        authorizations::overtaken_request_reserves_nothing_more(Card),
        authorizations::decisions_survive_a_restart(Card),
        operations::partial_captures_and_a_final_one_release_the_rest(Card),
        operations::capture_above_the_authorized_amount_is_declined(Card),
        operations::void_keeps_what_was_captured(Card),
        operations::void_releases_an_authorization_once(Card),
        operations::void_of_an_unknown_payment_is_a_tombstone(Card),
        operations::refunds_end_at_the_captured_amount(Card),
        operations::refund_releases_what_is_still_authorized(Card),
        operations::repeated_operation_is_done_once(Card),
        operations::concurrent_duplicate_operations_are_done_once(Card),
        operations::declined_operation_stays_declined(Card),
        operations::lost_operation_is_done_when_it_is_repeated(Card),
        operations::overtaken_operation_does_nothing_more(Card),
        operations::operations_survive_a_restart(Card),
    }
    Credentials {
        credentials::approved_payment_stores_its_card_once,
        credentials::payment_stores_nothing_unless_it_is_requested,
        credentials::declined_payment_stores_nothing,
        credentials::lost_payment_stores_its_card_once,
        credentials::merchant_names_the_series_and_charges_no_typed_card,
        credentials::shopper_pays_with_a_stored_card,
        credentials::unknown_credential_is_not_charged,
        credentials::revoked_credential_is_not_charged,
        credentials::revocation_and_charge_at_once_agree,
        account_updates::status_describes_the_card,
        account_updates::replaced_card_is_charged_under_the_same_reference,
        account_updates::news_is_reported_until_it_is_acknowledged,
        authorizations::repeated_authorization_reserves_once(Credential),
        authorizations::concurrent_duplicates_reserve_once(Credential),
        authorizations::another_amount_under_the_same_reference_reserves_nothing(Credential),
        authorizations::repeated_authorization_after_a_void_reserves_nothing(Credential),
        authorizations::inquiry_gives_the_decision(Credential),
        authorizations::unknown_reference_is_tombstoned_by_an_inquiry(Credential),
        authorizations::lost_request_was_never_received(Credential),
        authorizations::lost_response_is_found_by_an_inquiry(Credential),
        authorizations::late_request_finds_the_tombstone(Credential),
        authorizations::late_answer_is_the_one_that_an_inquiry_gives(Credential),
        authorizations::overtaken_request_reserves_nothing_more(Credential),
        authorizations::decisions_survive_a_restart(Credential),
        operations::partial_captures_and_a_final_one_release_the_rest(Credential),
        operations::capture_above_the_authorized_amount_is_declined(Credential),
        operations::void_keeps_what_was_captured(Credential),
        operations::void_releases_an_authorization_once(Credential),
        operations::void_of_an_unknown_payment_is_a_tombstone(Credential),
        operations::refunds_end_at_the_captured_amount(Credential),
        operations::refund_releases_what_is_still_authorized(Credential),
        operations::repeated_operation_is_done_once(Credential),
        operations::concurrent_duplicate_operations_are_done_once(Credential),
        operations::declined_operation_stays_declined(Credential),
        operations::lost_operation_is_done_when_it_is_repeated(Credential),
        operations::overtaken_operation_does_nothing_more(Credential),
        operations::operations_survive_a_restart(Credential),
        account_updates::closed_account_is_not_charged,
    }
    Authenticator {
        authentication::repeated_request_keeps_its_progress,
        authentication::unknown_reference_has_no_challenge,
        authentication::right_code_authenticates,
        authentication::wrong_code_is_counted_once,
        authentication::cancelled_challenge_permits_no_authorization,
    }
    Wallet {
        wallets::repeated_start_gives_the_same_page,
        wallets::confirmation_before_the_start_was_recorded_counts_once,
        wallets::refused_request_is_declined,
        wallets::request_expires,
        wallets::withdrawn_request_cannot_be_confirmed,
        wallets::withdrawal_and_confirmation_at_once_agree,
        wallets::unknown_reference_is_tombstoned,
        operations::partial_captures_and_a_final_one_release_the_rest(Wallet),
        operations::capture_above_the_authorized_amount_is_declined(Wallet),
        operations::void_keeps_what_was_captured(Wallet),
        operations::void_releases_an_authorization_once(Wallet),
        operations::refunds_end_at_the_captured_amount(Wallet),
        operations::refund_releases_what_is_still_authorized(Wallet),
        operations::repeated_operation_is_done_once(Wallet),
        operations::concurrent_duplicate_operations_are_done_once(Wallet),
        operations::declined_operation_stays_declined(Wallet),
        operations::lost_operation_is_done_when_it_is_repeated(Wallet),
        operations::overtaken_operation_does_nothing_more(Wallet),
        operations::operations_survive_a_restart(Wallet),
    }
    Transfers {
        transfers::repeated_start_gives_the_same_instructions,
        transfers::credit_before_the_start_was_recorded_arrives_once,
        transfers::arrivals_come_oldest_first_and_in_time,
        transfers::returned_credit_cannot_be_refunded,
        transfers::refunds_end_at_what_arrived,
        transfers::lost_refund_is_done_when_it_is_repeated,
    }
    DirectDebits {
        collections::repeated_collection_is_made_once,
        collections::concurrent_duplicate_collections_are_made_once,
        collections::another_amount_under_the_same_reference_collects_nothing,
        collections::collection_date_is_possible,
        collections::impossible_collection_is_declined,
        collections::unknown_collection_is_tombstoned_by_an_inquiry,
        collections::void_of_an_unknown_collection_is_a_tombstone,
        collections::lost_collection_was_never_received,
        collections::lost_acceptance_is_found_by_an_inquiry,
        collections::late_collection_finds_the_tombstone,
        direct_debits::settlement_is_reported_until_it_is_acknowledged,
        direct_debits::rejected_collection_is_never_settled,
        direct_debits::returned_collection_cannot_be_refunded,
        direct_debits::refunded_collection_is_not_returned,
        direct_debits::refunds_end_at_the_settled_amount,
        direct_debits::void_cancels_a_collection,
        direct_debits::stored_account_is_collected_from,
        direct_debits::revoked_mandate_is_not_collected_from,
    }
    Payouts {
        payouts::default_account_is_valid_and_stays_the_same,
        payouts::repeated_payout_is_sent_once,
        payouts::concurrent_duplicate_payouts_are_sent_once,
        payouts::another_amount_under_the_same_payout_sends_nothing,
        payouts::payout_that_cannot_be_made_is_declined,
        payouts::lost_payout_is_sent_once,
        payouts::overtaken_payout_sends_nothing_more,
        payouts::returned_payout_is_reported_until_it_is_acknowledged,
    }
    Notifications {
        notifications::notification_names_its_payment_however_often_it_is_read,
        notifications::altered_notification_is_refused,
        notifications::notification_without_its_headers_is_refused,
    }
};
