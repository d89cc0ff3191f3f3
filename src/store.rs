//! The files of a run: `results/<scenario>/<run>/` is read and written here and nowhere else.
