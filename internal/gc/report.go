package gc

import (
	"time"

	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// Report is what a clean-up has removed, or would.
type Report struct {
	DryRun   bool      `json:"dry_run"`
	Commits  []Commit  `json:"commits"`  // by stage, the oldest first
	Releases []Release `json:"releases"` // by stage and app, the oldest first
	Images   []Image   `json:"images"`   // by repository, the oldest first
	Bytes    int64     `json:"bytes"`    // that it freed; what images share is counted once
}

// Commit is one that the history knows no more.
type Commit struct {
	Stage     string    `json:"stage"` // ORGANIZATION/PROJECT/STAGE
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// Release is one that its app has no more.
type Release struct {
	Stage     string    `json:"stage"`
	App       string    `json:"app"`
	ID        int       `json:"id"`
	Digest    string    `json:"digest"`
	CreatedAt time.Time `json:"created_at"`
}

// Image is one that the registry has no more; an index is one, too.
type Image struct {
	Repository string    `json:"repository"`
	Digest     string    `json:"digest"`
	Tags       []string  `json:"tags"`
	UsedAt     time.Time `json:"used_at"` // when it was pushed, or asked for last
}

// newReport has lists where there is nothing: scripts read it.
func newReport(dryRun bool) Report {
	return Report{DryRun: dryRun, Commits: []Commit{}, Releases: []Release{}, Images: []Image{}}
}

func (r *Report) pruned(stage setops.StageRef, p setops.Pruned) {
	for _, c := range p.Commits {
		r.Commits = append(r.Commits, Commit{Stage: path(stage), ID: c.ID, CreatedAt: c.CreatedAt})
	}
	for _, old := range p.Releases {
		r.Releases = append(r.Releases, Release{
			Stage: path(stage), App: old.App, ID: old.ID, Digest: old.Digest, CreatedAt: old.CreatedAt,
		})
	}
}

func (r *Report) collected(c registry.Collected) {
	for _, m := range c.Manifests {
		r.Images = append(r.Images, Image{
			Repository: m.Repository, Digest: m.Digest, Tags: append([]string{}, m.Tags...), UsedAt: m.Used.UTC(),
		})
	}
	r.Bytes = c.Bytes
}
