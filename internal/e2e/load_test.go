package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/bench/load"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/pkg/client"
)

// TestManyUsersLoseNothing lets fifty users read, stage and commit on twenty stages as fast as they can.
func TestManyUsersLoseNothing(t *testing.T) {
	t.Parallel()
	const users, operations = 50, 40
	w := openWorld(t)
	boss, err := w.signIn(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	c := load.Config{
		URL: w.url(), Project: client.ProjectRef{Organization: organization, Project: "crowd"}, Stages: 20, Operations: operations, Seed: 4,
	}
	if err := load.Prepare(t.Context(), c, boss); err != nil {
		t.Fatal(err)
	}
	if c.Tokens, err = w.crowd(t, users, "crowd"); err != nil {
		t.Fatal(err)
	}
	r, err := load.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range append(r.Faults, r.Lost...) {
		t.Error(wrong)
	}
	if r.Operations() != users*operations || r.Staged < 200 || r.Commits < 20 || r.Committed < r.Commits {
		t.Errorf("%d reads, %d commands staged, %d committed in %d commits", len(r.Reads), r.Staged, r.Committed, r.Commits)
	}
}

// crowd adds users who are members of a project, and gives a token of each: signing in costs much by design.
func (w *world) crowd(t *testing.T, n int, project string) (tokens []string, err error) {
	hash := auth.HashPassword("nobody knows it")
	err = w.inStore(func(s *store.Store) error {
		id, err := s.AddOrganization(t.Context(), "unused", organization, time.Now())
		if err != nil {
			return err
		}
		p, _, err := s.Project(t.Context(), id, project)
		for i := range n {
			u := setops.User{ID: fmt.Sprintf("crowd %d", i), Email: fmt.Sprintf("crowd%d@example.com", i), OrganizationID: id}
			token, hashed := auth.NewToken()
			now := time.Now()
			err = errors.Join(err, s.AddUser(t.Context(), u, hash, id, now), s.Grant(t.Context(), p.ID, u.ID, setops.Member),
				s.AddSession(t.Context(), setops.Session{ID: u.ID, User: u, Kind: setops.APIToken, CreatedAt: now, UsedAt: now}, setops.Token{Hash: hashed, Use: setops.AccessToken}))
			tokens = append(tokens, token)
		}
		return err
	})
	return tokens, err
}
