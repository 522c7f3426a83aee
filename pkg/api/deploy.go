package api

// DeployTarget is what is good to know before an image is pushed that shall be deployed: GET …/apps/{app}/deploy.
type DeployTarget struct {
	Platform      string `json:"platform" doc:"That the image must be for, as linux/amd64"`
	ActiveRelease int    `json:"active_release" doc:"0: none"`
	ActiveDigest  string `json:"active_digest,omitempty"`
	Staged        int    `json:"staged" doc:"How many commands one has staged on the stage; with any, a deploy is refused"`
}

// Deploy makes a release of an image and activates it: POST …/apps/{app}/deploy. Both are one commit of their own. Nothing is
// staged for it, so that nothing stays where it does not succeed.
type Deploy struct {
	Image   string   `json:"image" maxLength:"256" doc:"In the app's repository: a digest, or a tag"`
	Before  []string `json:"before,omitempty" doc:"argv of a task that runs on the new release, as part of the commit, before any new task starts; its exit code decides"`
	Message string   `json:"message,omitempty" maxLength:"1000" doc:"What the commit is for, for the history"`
	Force   bool     `json:"force,omitempty" doc:"Deploy it also where the active release has this image already"`
}

// Deployed is the answer, and what release:deploy prints.
type Deployed struct {
	ReleaseID int     `json:"release_id"`
	Digest    string  `json:"digest"`
	Tag       string  `json:"tag,omitempty"`
	Commit    *Commit `json:"commit,omitempty" doc:"By which it is, or shall be, active; absent: it was active already, and nothing was done"`
}
