//! How hard one host is asked: so many calls in flight, and so many begun in one second.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// What every call of a host goes through.
pub(super) struct Gate {
    places: Semaphore,
    /// Time between the beginnings of two calls, and when the next one may begin.
    pace: Option<(Duration, Mutex<Instant>)>,
}

impl Gate {
    pub(super) fn new(in_flight: usize, per_second: Option<usize>) -> Self {
        let between = |count: usize| {
            let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
            (Duration::from_secs(1) / count, Mutex::new(Instant::now()))
        };
        Self {
            places: Semaphore::new(in_flight.max(1)),
            pace: per_second.map(between),
        }
    }

    /// A place among the calls in flight, kept until the whole answer is there.
    pub(super) async fn enter(&self) -> Outcome<SemaphorePermit<'_>> {
        let gone = |_| Failure::new(FailureKind::Internal, "the host's gate is closed");
        let place = self.places.acquire().await.map_err(gone)?;
        if let Some((between, next)) = &self.pace {
            let turn = {
                let mut next = next.lock().await;
                let turn = (*next).max(Instant::now());
                *next = turn + *between;
                turn
            };
            tokio::time::sleep_until(turn).await;
        }
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn calls_begin_no_faster_than_the_pace() {
        let gate = Gate::new(10, Some(4));
        let begun = Instant::now();
        for _ in 0..9 {
            drop(gate.enter().await.unwrap());
        }
        assert_eq!(begun.elapsed().as_secs(), 2, "nine calls, a quarter apart");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_inside_than_there_are_places() {
        let gate = Arc::new(Gate::new(3, None));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let calls = (0..20).map(|_| {
            let (gate, now, most) = (gate.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let _place = gate.enter().await.unwrap();
                let inside = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(inside, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
