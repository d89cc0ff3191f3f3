//! Why pods cannot be used, each cause with what would fix it.

/// What is wrong with a cluster, the way to it, or its pods. `said` is what kubectl or Kubernetes said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PodError {
    /// There is no kubectl here.
    #[error("cannot start kubectl: {0}; install it")]
    Missing(String),
    /// kubectl's configuration lacks the context.
    #[error("kubectl has no such context ({said}); kubectl config get-contexts lists them")]
    Context {
        /// What was said.
        said: String,
    },
    /// Nobody answers.
    #[error("the cluster cannot be reached ({said}); try it by hand: kubectl version")]
    Unreachable {
        /// What was said.
        said: String,
    },
    /// The cluster does not know the user.
    #[error("the cluster does not let this user in ({said}); log in again, or choose another `context`")]
    Credentials {
        /// What was said.
        said: String,
    },
    /// The user may not do it.
    #[error("a right is missing ({said}); tandem doctor SCENARIO --place NAME lists the rights that it takes")]
    Forbidden {
        /// What was said.
        said: String,
    },
    /// There is no such namespace.
    #[error("there is no such namespace ({said}); create it, or choose another `namespace`")]
    Namespace {
        /// What was said.
        said: String,
    },
    /// The Job is refused.
    #[error("the cluster refuses the Job ({said}); change what [place.kubernetes] asks for")]
    Rejected {
        /// What was said.
        said: String,
    },
    /// Something else went wrong.
    #[error("kubectl ended ({said}); try it by hand: kubectl get pods")]
    Ended {
        /// What was said, or how it ended.
        said: String,
    },
    /// It took too long.
    #[error("{what} took longer than {seconds} s; try it by hand: kubectl get pods")]
    Slow {
        /// What.
        what: String,
        /// The limit.
        seconds: u64,
    },
    /// No node takes a pod.
    #[error(
        "pod {pod} is pending: {said}; lower `requests` or `pods`, leave `anti_affinity` or `node_selector` out, or add nodes"
    )]
    Unschedulable {
        /// The pod.
        pod: String,
        /// What the scheduler says.
        said: String,
    },
    /// The image is not there.
    #[error(
        "pod {pod} does not get the image {image}: {said}; check its name, where nodes get it from, and `image_pull_policy`"
    )]
    Image {
        /// The pod.
        pod: String,
        /// As the place names it.
        image: String,
        /// The kubelet's reason and message.
        said: String,
    },
    /// The container does not start.
    #[error(
        "pod {pod} does not start: {said}; its image must have tandem in its PATH, or where `tandem` in [[place]] says"
    )]
    Start {
        /// The pod.
        pod: String,
        /// Reason and message.
        said: String,
    },
    /// A pod ended that should wait for work.
    #[error("pod {pod} has ended: {said}; kubectl describe pod {pod} says more")]
    PodEnded {
        /// The pod.
        pod: String,
        /// Why.
        said: String,
    },
    /// The Job does not make its pods.
    #[error("the Job {job} has {made} of {wanted} pods: {said}; kubectl describe job {job} says more")]
    NoPods {
        /// The Job.
        job: String,
        /// How many there are.
        made: usize,
        /// How many there should be.
        wanted: usize,
        /// What events say of it.
        said: String,
    },
    /// The program does not run there.
    #[error(
        "{path} does not run in the image {image} ({said}); put tandem into the image, and name it by `tandem` in [[place]]"
    )]
    Program {
        /// Its path there.
        path: String,
        /// The image.
        image: String,
        /// What was said.
        said: String,
    },
    /// The image lacks a ready-made client.
    #[error(
        "the image {image} has not the ready-made client {client} that app {app:?} runs; build an image that has it \
         (docker build -f docker/Dockerfile --target clients), or run the app at place = \"here\""
    )]
    NoClient {
        /// The image.
        image: String,
        /// Name and version of the client.
        client: String,
        /// The app.
        app: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl PodError {
    /// What is wrong, and what would fix it.
    pub fn parts(&self) -> (String, String) {
        let text = self.to_string();
        let (what, fix) = text.rsplit_once("; ").unwrap_or((&text, ""));
        (what.to_owned(), fix.to_owned())
    }

    /// True where what was asked for was certainly not done.
    pub fn is_refusal(&self) -> bool {
        match self {
            PodError::Missing(_)
            | PodError::Context { .. }
            | PodError::Credentials { .. }
            | PodError::Forbidden { .. }
            | PodError::Namespace { .. }
            | PodError::Rejected { .. } => true,
            // Without an answer in time, it may have been done.
            PodError::Unreachable { said } => !said.contains("timeout") && !said.contains("deadline"),
            _ => false,
        }
    }

    /// What an end of kubectl means, by what it said.
    pub(super) fn of(said: &str) -> Self {
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        let is = |words: &[&str]| words.iter().any(|words| said.contains(words));
        let said = last.unwrap_or("it said nothing").to_owned();
        if is(&["context was not found", "no context exists", "cannot locate context"])
            || said.starts_with("error: context ")
        {
            PodError::Context { said }
        } else if is(&["(Unauthorized)", "must be logged in", "provide credentials"]) {
            PodError::Credentials { said }
        } else if is(&["(Forbidden)", "is forbidden"]) {
            PodError::Forbidden { said }
        } else if said.contains("(NotFound)") && said.contains("namespaces ") {
            PodError::Namespace { said }
        } else if is(&[
            "Unable to connect",
            "The connection to the server",
            "no such host",
            "i/o timeout",
            "connection refused",
            "TLS handshake timeout",
            "context deadline exceeded",
        ]) {
            PodError::Unreachable { said }
        } else if is(&["is invalid", "error validating", "(BadRequest)", "denied the request"]) {
            PodError::Rejected { said }
        } else {
            PodError::Ended { said }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PodError;

    #[test]
    fn what_kubectl_says_names_the_cause() {
        let refused = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?";
        assert!(matches!(PodError::of(refused), PodError::Unreachable { .. }));
        // It looks for the server's own description first.
        let nobody = "error: error validating \"STDIN\": failed to download openapi: connect: connection refused";
        assert!(matches!(PodError::of(nobody), PodError::Unreachable { .. }));
        let login = "error: You must be logged in to the server (Unauthorized)\n";
        assert!(matches!(PodError::of(login), PodError::Credentials { .. }));
        let forbidden = "Error from server (Forbidden): error when creating \"STDIN\": jobs.batch is forbidden: User \"u\" \
                         cannot create resource \"jobs\" in API group \"batch\" in the namespace \"n\"";
        assert!(matches!(PodError::of(forbidden), PodError::Forbidden { .. }));
        let namespace = "Error from server (NotFound): error when creating \"STDIN\": namespaces \"n\" not found";
        assert!(matches!(
            PodError::of("Error from server (NotFound): namespaces \"n\" not found"),
            PodError::Namespace { .. }
        ));
        assert!(matches!(PodError::of(namespace), PodError::Namespace { .. }));
        let context = "error: context \"x\" does not exist";
        assert!(matches!(PodError::of(context), PodError::Context { .. }));
        assert!(PodError::of(refused).is_refusal() && PodError::of(forbidden).is_refusal());
        assert!(!PodError::of("Unable to connect to the server: net/http: TLS handshake timeout").is_refusal());
        let (what, fix) = PodError::of("").parts();
        assert_eq!(
            (what.as_str(), fix.as_str()),
            ("kubectl ended (it said nothing)", "try it by hand: kubectl get pods")
        );
    }
}
