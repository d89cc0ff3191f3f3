//! The plan: which trial comes next, given the scenario and the trials stored so far. Pure: no clock, no file, no
//! process; the same answer for the same input, which is what makes a run resumable.
