package changeset_test

import (
	"fmt"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

func ids(a *setops.App) (all []int) {
	for _, r := range a.Releases {
		all = append(all, r.ID)
	}
	return all
}

func TestADeltaHasTheAppsThatDifferWithTheReleasesThatBringThemBack(t *testing.T) {
	t.Parallel()
	before, problems := changeset.Fold(setops.Spec{}, []changeset.Command{
		&changeset.AppCreate{AppName: "web"}, &changeset.AppCreate{AppName: "same"}, &changeset.AppCreate{AppName: "gone"},
		&changeset.ReleaseCreate{AppName: "web", ID: 1, Digest: fmt.Sprintf("sha256:%064x", 1)}, &changeset.ReleaseCreate{AppName: "web", ID: 2, Digest: fmt.Sprintf("sha256:%064x", 2)},
		&changeset.ReleaseCreate{AppName: "web", ID: 3, Digest: fmt.Sprintf("sha256:%064x", 3)}, &changeset.ReleaseActivate{AppName: "web", ID: 2},
		&changeset.ReleaseCreate{AppName: "gone", ID: 1, Digest: fmt.Sprintf("sha256:%064x", 1)}, &changeset.ReleaseCreate{AppName: "gone", ID: 2, Digest: fmt.Sprintf("sha256:%064x", 2)},
	})
	if problems != nil {
		t.Fatal(problems)
	}
	after, problems := changeset.Fold(before, []changeset.Command{
		&changeset.ReleaseCreate{AppName: "web", ID: 4, Digest: fmt.Sprintf("sha256:%064x", 4)}, &changeset.ReleaseActivate{AppName: "web", ID: 4},
		&changeset.AppDestroy{AppName: "gone"}, &changeset.AppCreate{AppName: "new"},
	})
	if problems != nil {
		t.Fatal(problems)
	}
	d := changeset.DeltaOf(before, after)
	if len(d.Before.Apps) != 2 || len(d.After.Apps) != 2 || d.After.Apps["new"] == nil {
		t.Fatalf("%v, %v", d.Before.Apps, d.After.Apps)
	}
	if was, made, gone := ids(d.Before.Apps["web"]), ids(d.After.Apps["web"]), ids(d.Before.Apps["gone"]); len(was) != 1 || was[0] != 2 ||
		len(made) != 2 || made[0] != 2 || made[1] != 4 || len(gone) != 2 {
		t.Errorf("web had %v and has %v, gone had %v", was, made, gone)
	}
	for _, c := range changeset.Compare(d.Before, d.After) {
		for _, v := range c.Values {
			if c.Name == "web" && v.Field != "release" && v.Field != "releases.4" {
				t.Errorf("%s: %s differs", c.Name, v.Field)
			}
		}
	}
	if len(ids(before.Apps["web"])) != 3 {
		t.Error("what came in was changed")
	}
}

func TestACommandIsFoundByItsPlace(t *testing.T) {
	t.Parallel()
	c := changeset.Changeset{Commands: []changeset.Command{&changeset.AppCreate{AppName: "web"}}}
	if err := changeset.CheckPosition(c, true, 0); err != nil {
		t.Error(err)
	}
	for position, code := range map[int]setops.Code{-1: setops.ValidationFailed, 1: setops.ValidationFailed} {
		if err := changeset.CheckPosition(c, true, position); !setops.IsCode(err, code) {
			t.Errorf("%d: %v", position, err)
		}
	}
	if err := changeset.CheckPosition(changeset.Changeset{}, false, 0); !setops.IsCode(err, setops.ChangesetDoesNotExist) {
		t.Error(err)
	}
}
