package setops

import "time"

// Retention says how much of the past is kept: what is among the newest, or younger than Since.
type Retention struct {
	Commits  int // of each stage
	Releases int // of each app
	Since    time.Time
}

// Pruned is what a stage has lost of its past.
type Pruned struct {
	Commits  []PrunedCommit  // the oldest first
	Releases []PrunedRelease // by app, the oldest first
}

// PrunedCommit is a commit that the history knows no more.
type PrunedCommit struct {
	ID        string
	CreatedAt time.Time
}

// PrunedRelease is a release that its app has no more.
type PrunedRelease struct {
	App string
	Release
}

// AppImage is an image in the repository of an app.
type AppImage struct{ App, Digest string }
