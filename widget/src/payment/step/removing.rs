//! The removal of a saved card, which needs no phase: the shopper can pay meanwhile.

use super::super::event::ApiResponse;
use super::super::state::State;
use sealpay_protocol::api::InstrumentsView;
use sealpay_protocol::ids::InstrumentId;

impl State {
    /// Takes the response to the removal of a card. Returns whether it was removed, if that is known.
    pub fn instruments_received(
        &mut self,
        now: u64,
        card: InstrumentId,
        response: ApiResponse<Box<InstrumentsView>>,
    ) -> Option<bool> {
        let remaining = match response {
            ApiResponse::Success(view) => Some(view.instruments),
            ApiResponse::Problem(problem) => {
                self.record_problem(now, &problem);
                // Removed already, perhaps in another tab.
                if problem.code != "instrument_unavailable" {
                    return Some(false);
                }
                None
            }
            ApiResponse::Missing => return None,
        };
        if let Some(session) = &mut self.session {
            match remaining {
                Some(instruments) => session.instruments = instruments,
                None => session.instruments.retain(|saved| saved.id != card),
            }
        }
        Some(true)
    }
}
