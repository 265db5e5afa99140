//! Size to rectangles. The model keeps the last size, so scrolling is decided in `update`.

use ratatui::layout::Rect;

/// Where everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Geometry {
    /// The one thing to do.
    pub top: Rect,
    /// Tabs, arming, clock.
    pub tabs: Rect,
    /// Crumbs, filter, counts.
    pub crumbs: Rect,
    /// The page.
    pub body: Rect,
    /// What belongs to the selection, beside the page.
    pub side: Option<Rect>,
    /// Log lines below what belongs to the selection.
    pub side_log: Option<Rect>,
    /// Running work, prompts, messages.
    pub jobs: Rect,
    /// Keys that can be pressed now.
    pub keys: Rect,
}

/// From this width on a list has its details beside it.
const SIDE_BY_SIDE: u16 = 140;
/// From this height on log lines stand below the details.
const WITH_LOG: u16 = 32;

/// Lays a screen out. Every rectangle lies inside the screen, whatever its size.
pub(crate) fn geometry(width: u16, height: u16, zoomed: bool, is_list: bool) -> Geometry {
    let screen = Rect::new(0, 0, width, height);
    let row = |y: u16| Rect::new(0, y, width, 1).intersection(screen);
    if height < 6 {
        // One plain line is all there is room for.
        return Geometry {
            top: row(0),
            ..Geometry::default()
        };
    }
    let body_height = height - 5;
    let body = Rect::new(0, 3, width, body_height);
    let mut geometry = Geometry {
        top: row(0),
        tabs: row(1),
        crumbs: row(2),
        body,
        side: None,
        side_log: None,
        jobs: row(height - 2),
        keys: row(height - 1),
    };
    if width >= SIDE_BY_SIDE && is_list && !zoomed {
        let side_width = width * 9 / 20;
        geometry.body.width = width - side_width - 1;
        let side = Rect::new(geometry.body.width + 1, 3, side_width, body_height);
        if height >= WITH_LOG {
            let log_height = body_height / 3;
            geometry.side = Some(Rect {
                height: body_height - log_height,
                ..side
            });
            geometry.side_log = Some(Rect {
                y: side.y + body_height - log_height,
                height: log_height,
                ..side
            });
        } else {
            geometry.side = Some(side);
        }
    }
    geometry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_lies_inside_a_screen_of_any_size() {
        for width in [0, 1, 2, 39, 60, 80, 139, 140, 160, 400] {
            for height in [0, 1, 2, 5, 6, 16, 24, 32, 45, 200] {
                for zoomed in [false, true] {
                    let parts = geometry(width, height, zoomed, true);
                    let screen = Rect::new(0, 0, width, height);
                    let all = [
                        Some(parts.top),
                        Some(parts.tabs),
                        Some(parts.crumbs),
                        Some(parts.body),
                        parts.side,
                        parts.side_log,
                        Some(parts.jobs),
                        Some(parts.keys),
                    ];
                    for part in all.into_iter().flatten() {
                        assert_eq!(
                            part.intersection(screen),
                            part,
                            "{width}x{height} {parts:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn details_stand_beside_a_list_on_a_wide_screen_only() {
        assert!(geometry(80, 24, false, true).side.is_none());
        assert!(geometry(160, 45, false, true).side.is_some());
        assert!(geometry(160, 45, false, true).side_log.is_some());
        assert!(geometry(160, 45, true, true).side.is_none());
        assert!(geometry(160, 45, false, false).side.is_none());
    }
}
