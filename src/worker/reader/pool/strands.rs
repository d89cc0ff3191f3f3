//! Which record a free thread works next: the oldest whose strand no other thread works. Pure: knows neither threads nor
//! records.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

/// Records of one strand are worked one after another, in their order. A record without a strand waits for no other.
pub(super) type Strand = Option<u64>;

/// Records with their age, the oldest first.
type ByAge<J> = VecDeque<(u64, Waiting<J>)>;

/// Records that wait for a thread.
#[derive(Debug)]
pub(super) struct Strands<J> {
    /// The records that a thread may take now, of each strand at most one: those that could be taken when they came, in
    /// the order of their age,
    ready: ByAge<J>,
    /// and those whose strand was released since, by age.
    released: BTreeMap<u64, Waiting<J>>,
    /// Of each strand with a record that may be taken or is in work, the records behind that one.
    behind: HashMap<u64, ByAge<J>, BuildHasherDefault<AsItIs>>,
    /// Age of the next record.
    next: u64,
    held: Load,
    space: Load,
}

#[derive(Debug)]
struct Waiting<J> {
    strand: Strand,
    bytes: u64,
    job: J,
}

/// Strands are named by hashes, or by a few small numbers.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, strand: u64) {
        self.0 = strand;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Records, and the bytes of their keys and values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl<J> Strands<J> {
    /// Without records, with space for so many.
    pub(super) fn new(space: Load) -> Self {
        Strands {
            ready: VecDeque::new(),
            released: BTreeMap::new(),
            behind: HashMap::default(),
            next: 0,
            held: Load::default(),
            space,
        }
    }

    /// True where another record may be pushed. The last one may exceed the bytes, so that a large record fits as well.
    pub(super) fn has_space(&self) -> bool {
        self.held.records < self.space.records && self.held.bytes < self.space.bytes
    }

    /// True where at most three quarters of the space are taken.
    pub(super) fn has_much_space(&self) -> bool {
        self.held.records <= self.space.records / 4 * 3 && self.held.bytes <= self.space.bytes / 4 * 3
    }

    /// Records that threads may take now.
    pub(super) fn ready(&self) -> usize {
        self.ready.len() + self.released.len()
    }

    /// Adds a record, the latest of its strand. True where a thread may take it at once.
    pub(super) fn push(&mut self, strand: Strand, bytes: u64, job: J) -> bool {
        let age = self.next;
        self.next += 1;
        self.held.records += 1;
        self.held.bytes += bytes;
        let waiting = Waiting { strand, bytes, job };
        if let Some(strand) = strand {
            if let Some(behind) = self.behind.get_mut(&strand) {
                behind.push_back((age, waiting));
                return false;
            }
            self.behind.insert(strand, VecDeque::new());
        }
        self.ready.push_back((age, waiting));
        true
    }

    /// Takes the oldest record whose strand is free. The strand is then in work until it is released.
    pub(super) fn take(&mut self) -> Option<(Strand, J)> {
        let came = self.ready.front().map(|(age, _)| *age);
        let released = self.released.first_key_value().map(|(age, _)| *age);
        let is_released = released.is_some_and(|released| came.is_none_or(|came| released < came));
        let oldest = if is_released {
            self.released.pop_first()
        } else {
            self.ready.pop_front()
        };
        let (_, Waiting { strand, bytes, job }) = oldest?;
        self.held.records -= 1;
        self.held.bytes -= bytes;
        Some((strand, job))
    }

    /// The work on the record that was taken of a strand has ended.
    pub(super) fn release(&mut self, strand: Strand) {
        let Some(strand) = strand else { return };
        match self.behind.get_mut(&strand).and_then(VecDeque::pop_front) {
            Some((age, waiting)) => {
                self.released.insert(age, waiting);
            }
            None => {
                self.behind.remove(&strand);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const SPACE: Load = Load {
        records: u64::MAX,
        bytes: u64::MAX,
    };

    /// What happens to the strands: a record comes, a thread takes one, or one of the records in work is finished.
    #[derive(Debug, Clone)]
    enum Step {
        Push(Strand, u64),
        Take,
        Release(prop::sample::Index),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let strand = prop::option::weighted(0.8, 0u64..4);
        let step = prop_oneof![
            (strand, 0u64..100).prop_map(|(strand, bytes)| Step::Push(strand, bytes)),
            Just(Step::Take),
            any::<prop::sample::Index>().prop_map(Step::Release)
        ];
        prop::collection::vec(step, 0..200)
    }

    /// The same by definition: a list that is searched from its beginning.
    #[derive(Default)]
    struct Model {
        waiting: Vec<(Strand, usize)>,
        working: Vec<(Strand, usize)>,
    }

    impl Model {
        fn take(&mut self) -> Option<(Strand, usize)> {
            let busy: BTreeSet<u64> = self.working.iter().filter_map(|(strand, _)| *strand).collect();
            let is_free = |strand: &Strand| strand.is_none_or(|strand| !busy.contains(&strand));
            let place = self.waiting.iter().position(|(strand, _)| is_free(strand))?;
            let taken = self.waiting.remove(place);
            self.working.push(taken);
            Some(taken)
        }
    }

    proptest! {
        #[test]
        fn the_oldest_record_whose_strand_is_free_is_taken_and_space_is_bounded(steps in steps(), records in 1u64..30, bytes in 1u64..1_000) {
            let space = Load { records, bytes };
            let (mut strands, mut model) = (Strands::new(space), Model::default());
            let mut sizes = Vec::new();
            for step in steps {
                let held = Load {
                    records: model.waiting.len() as u64,
                    bytes: model.waiting.iter().map(|(_, job)| sizes[*job]).sum(),
                };
                prop_assert_eq!(strands.has_space(), held.records < records && held.bytes < bytes);
                match step {
                    Step::Push(..) if !strands.has_space() => {}
                    Step::Push(strand, bytes) => {
                        let job = sizes.len();
                        sizes.push(bytes);
                        let is_free = strand.is_none() || model.waiting.iter().chain(&model.working).all(|(l, _)| *l != strand);
                        model.waiting.push((strand, job));
                        prop_assert_eq!(strands.push(strand, bytes, job), is_free);
                    }
                    Step::Take => prop_assert_eq!(strands.take(), model.take()),
                    Step::Release(index) if !model.working.is_empty() => {
                        let (strand, _) = model.working.swap_remove(index.index(model.working.len()));
                        strands.release(strand);
                    }
                    Step::Release(_) => {}
                }
            }
            // Everything comes out, and nothing is left behind.
            for (strand, _) in model.working.drain(..) {
                strands.release(strand);
            }
            for wanted in std::mem::take(&mut model.waiting) {
                let taken = strands.take();
                prop_assert_eq!(taken, Some(wanted));
                strands.release(wanted.0);
            }
            prop_assert!(strands.take().is_none() && strands.behind.is_empty());
            prop_assert_eq!(strands.held, Load::default());
        }
    }

    #[test]
    fn a_hot_strand_keeps_no_other_from_being_worked() {
        let mut strands = Strands::new(SPACE);
        for job in 0..100 {
            strands.push(Some(7), 1, job);
        }
        strands.push(Some(8), 1, 100);
        strands.push(None, 1, 101);
        let taken: Vec<_> = std::iter::from_fn(|| strands.take()).collect();
        assert_eq!(taken, [(Some(7), 0), (Some(8), 100), (None, 101)]);
        strands.release(Some(7));
        assert_eq!(strands.take(), Some((Some(7), 1)));
    }
}
