//! Pages of a list.

use serde::Serialize;
use utoipa::ToSchema;

/// Most rows of one page.
pub const PAGE_MOST: u32 = 100;
/// Rows of a page when nothing is asked for.
pub const PAGE_DEFAULT: u32 = 20;

/// A page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}

/// A page of the rows that were found, one more of which were asked for than it takes.
pub(crate) fn page<R, T: ToSchema>(
    rows: Vec<R>,
    limit: u32,
    view: impl FnMut(R) -> Option<T>,
) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    Page {
        data: rows.into_iter().take(limit).filter_map(view).collect(),
        has_more,
    }
}
