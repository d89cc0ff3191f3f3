//! Why the workers of a place with `container` cannot be started, each cause with what would fix it.

use crate::scenario::Engine;

/// What is wrong with an engine, an image, or what is in it. `said` is what the engine said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// The program of the engine is not here.
    #[error("cannot start {0}: {said}; install it, or name the other engine by `engine` in `container`", .engine.program())]
    Missing {
        /// Which.
        engine: Engine,
        /// What starting it said.
        said: String,
    },
    /// The engine does not answer.
    #[error(
        "the engine does not answer ({said}); start it, and let your user use it: `{} info` must succeed",
        .engine.program()
    )]
    NoEngine {
        /// Which.
        engine: Engine,
        /// What it said.
        said: String,
    },
    /// No folder for what the engine says of its containers.
    #[error("cannot make a folder for the names of containers: {0}; set TMPDIR to a folder that you may write to")]
    Folder(String),
    /// The image is not there.
    #[error(
        "the image {image} is not here, and cannot be pulled ({said}); build it (docker build -f docker/Dockerfile --target \
         slim -t {image} .), or name another by `image` in `container`"
    )]
    NoImage {
        /// The image.
        image: String,
        /// What pulling it said.
        said: String,
    },
    /// The image is for other processors.
    #[error("the image {image} is for {there}, and the engine runs {here}; build the image for {here}")]
    Architecture {
        /// The image.
        image: String,
        /// Its system.
        there: String,
        /// The engine's.
        here: String,
    },
    /// No container of the place can be made.
    #[error(
        "the engine makes no container with the image and the limits of this place ({said}); change what it names in \
         [[place]]"
    )]
    Refused {
        /// What it said.
        said: String,
    },
    /// The image has no program of tandem, or one that does not run.
    #[error(
        "{program} of the image {image} does not run as a worker ({said}); build the image from this version of tandem \
         (docker/Dockerfile), or name the program's path in it by `tandem` in [[place]]"
    )]
    Program {
        /// The image.
        image: String,
        /// As it is started.
        program: String,
        /// What was said.
        said: String,
    },
    /// The image lacks a ready-made client.
    #[error(
        "the image {image} has not the ready-made client {client} that app {app:?} runs{}; build an image that has it \
         (docker build -f docker/Dockerfile --target clients), or run the app at place = \"here\"",
        others(.has)
    )]
    NoClient {
        /// The image.
        image: String,
        /// Name and version of the client.
        client: String,
        /// The app.
        app: String,
        /// Those that it has.
        has: Vec<String>,
    },
    /// It took too long.
    #[error("{what} took longer than {seconds} s; see whether `{} info` answers", .engine.program())]
    Slow {
        /// Which engine.
        engine: Engine,
        /// What.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

fn others(has: &[String]) -> String {
    if has.is_empty() {
        return ", nor any other".to_owned();
    }
    format!(", but {}", has.join(", "))
}

impl ContainerError {
    /// What is wrong, and what would fix it.
    pub fn parts(&self) -> (String, String) {
        let text = self.to_string();
        let (what, fix) = text.rsplit_once("; ").unwrap_or((&text, ""));
        (what.to_owned(), fix.to_owned())
    }
}
