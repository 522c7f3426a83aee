package staging_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
)

// enqueue asks for a commit that deploys.
func (w *world) enqueue(t *testing.T, id string, d staging.Deploy) (*staging.Deploy, changeset.Commit, error) {
	t.Helper()
	asked, err := w.Deploy(t.Context(), stage, ada, d)
	if err != nil {
		return nil, changeset.Commit{}, err
	}
	ticket := changeset.Ticket{ID: id, StageID: stage.ID, UserID: ada.ID, Now: now, QueueUntil: now.Add(time.Hour)}
	fresh := changeset.Changeset{ID: id, StageID: stage.ID, UserID: ada.ID, CreatedAt: now}
	c, err := w.store.EnqueueUnstaged(t.Context(), ticket, fresh, asked.Decide(t.Context()))
	return asked, c, err
}

// pass commits what is in the queue.
func (w *world) pass(t *testing.T) {
	t.Helper()
	c, _, err := w.store.Claim(t.Context(), stage.ID, "owner", now, now.Add(time.Hour))
	must(t, err)
	before, err := w.store.Spec(t.Context(), stage.ID)
	must(t, err)
	after, problems := changeset.Fold(before, c.Changeset.Commands)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	must(t, w.store.Pass(t.Context(), c, after, plan.Plan{}, now))
	must(t, w.store.EndCommit(t.Context(), c, changeset.Done, nil, now))
}

func TestAnImageIsDeployedByItsTagOrItsDigestAndOnce(t *testing.T) {
	w := committed(t)
	asked, c, err := w.enqueue(t, "c-1", staging.Deploy{App: "web", Image: "v2", Before: []string{"rake", "db:migrate"}})
	must(t, err)
	if r := asked.Release(c); r.ID != 1 || r.Digest != digest || r.Tag != "v2" || !c.Unstaged {
		t.Errorf("%+v, %+v", r, c)
	}
	if a := c.Changeset.Commands[1].(*changeset.ReleaseActivate); a.ID != 1 || !slices.Equal(a.Before, []string{"rake", "db:migrate"}) {
		t.Errorf("%+v", a)
	}
	asked.Prepare()
	if len(w.images.prepared) != 1 || w.images.prepared[0].Digest != digest {
		t.Errorf("prepared %+v", w.images.prepared)
	}
	w.pass(t)
	asked, c, err = w.enqueue(t, "c-2", staging.Deploy{App: "web", Image: digest})
	if r := asked.Release(c); err != nil || c.ID != "" || r.ID != 1 {
		t.Errorf("an active image makes %+v, %+v, %v", c, r, err)
	}
	asked, c, err = w.enqueue(t, "c-3", staging.Deploy{App: "web", Image: digest, Force: true})
	if r := asked.Release(c); err != nil || c.ID != "c-3" || r.ID != 2 || r.Tag != "v1" {
		t.Errorf("%+v, %+v, %v", c, r, err)
	}
}

func TestWhatCannotBeDeployedIsRefused(t *testing.T) {
	w := committed(t)
	for _, test := range []struct {
		deploy staging.Deploy
		code   setops.Code
		says   string
	}{
		{staging.Deploy{App: "web", Image: "v9"}, setops.ValidationFailed, "no image with the tag v9"},
		{staging.Deploy{App: "web", Image: "not a tag"}, setops.ValidationFailed, ""},
		{staging.Deploy{App: "web", Image: strings.Replace(digest, "1", "2", 1)}, setops.ValidationFailed, "push it there first"},
		{staging.Deploy{App: "worker", Image: digest}, setops.ValidationFailed, "push it there first"},
		{staging.Deploy{App: "nope", Image: digest}, setops.AppDoesNotExist, ""},
		{staging.Deploy{App: "web", Image: digest, Before: []string{""}}, setops.ValidationFailed, "before"},
	} {
		_, c, err := w.enqueue(t, "c-1", test.deploy)
		if !setops.IsCode(err, test.code) || !strings.Contains(err.Error(), test.says) || c.ID != "" {
			t.Errorf("%+v: %+v, %v", test.deploy, c, err)
		}
	}
	w.must(t, `app:env:set {"name":"web","key":"A","value":"b"}`)
	if _, _, err := w.enqueue(t, "c-1", staging.Deploy{App: "web", Image: digest}); !setops.IsCode(err, setops.ChangesetInvalid) {
		t.Errorf("got %v", err)
	}
	w.images.fault = errors.New("the disk is on fire")
	if _, _, err := w.enqueue(t, "c-1", staging.Deploy{App: "web", Image: "v2"}); !errors.Is(err, w.images.fault) {
		t.Errorf("got %v", err)
	}
}
