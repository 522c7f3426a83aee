package pull

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func at(t *testing.T, key string, now time.Time) Passwords {
	t.Helper()
	p, err := New([]byte(key), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPasswordIsGoodForATermAtLeastAndForThreeAtMost(t *testing.T) {
	now := time.Unix(0, 0).Add(1000 * Term)
	for begun := range 12 {
		given := now.Add(Term * time.Duration(begun) / 12)
		password := at(t, "key", given).Of(Stage("one"))
		for age, taken := range map[time.Duration]bool{0: true, Term: true, -Term: true, 2 * Term: false, -2 * Term: false} {
			if at(t, "key", given.Add(age)).Accepts(Stage("one"), password) != taken {
				t.Errorf("given at %s, after %s", given, age)
			}
		}
	}
}

func TestAPasswordIsOneHoldersAndOneKeys(t *testing.T) {
	now := time.Now()
	password := at(t, "key", now).Of(Stage("one"))
	for _, other := range []string{Stage("two"), Stage("on"), Everything, ""} {
		if at(t, "key", now).Accepts(other, password) {
			t.Errorf("%q is let in", other)
		}
	}
	for _, wrong := range []string{"", password[1:], at(t, "another", now).Of(Stage("one"))} {
		if at(t, "key", now).Accepts(Stage("one"), wrong) {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestAStageHasItsOwnRepositories(t *testing.T) {
	s := setops.StageRef{Organization: "demo", Project: "shop", Name: "prod"}
	for repository, want := range map[string]bool{
		"demo/shop/prod/web": true, "demo/shop/production/web": false, "demo/shop/test/web": false, "demo/shop/prod": false, "other/demo/shop/prod/web": false,
	} {
		if Covers(s, repository) != want {
			t.Error(repository)
		}
	}
}

func TestHoldersAreToldFromUsers(t *testing.T) {
	for user, want := range map[string]bool{Everything: true, Stage("c0ffee"): true, "ada@example.com": false, "setopsd2": false, "": false} {
		if IsHolder(user) != want {
			t.Error(user)
		}
	}
	if id, ok := StageOf(Stage("c0ffee")); !ok || id != "c0ffee" {
		t.Error(id, ok)
	}
}
