package certs

import "testing"

func TestANameIsServedAsLongAsSomebodyHasIt(t *testing.T) {
	m := local(t, database(t))
	m.Set("one", []string{"a.localhost", "b.localhost"})
	m.Set("two", []string{"B.localhost.", "c.localhost"})
	m.Set("one", []string{"a.localhost"})
	for host, want := range map[string]bool{"a.localhost": true, "b.localhost": true, "c.localhost": true} {
		if m.Has(host) != want {
			t.Errorf("%s: %v", host, m.Has(host))
		}
	}
	k := m.names.get("b.localhost")
	m.Set("two", nil)
	m.Set("two", nil)
	for host, want := range map[string]bool{"a.localhost": true, "b.localhost": false, "c.localhost": false} {
		if m.Has(host) != want {
			t.Errorf("%s after two is gone: %v", host, m.Has(host))
		}
	}
	if state, err := m.Status("b.localhost"); state != "" || err != nil || k.ctx.Err() == nil {
		t.Errorf("a name that was let go is %q, %v", state, err)
	}
	m.Set("three", []string{"b.localhost"})
	if back := m.names.get("b.localhost"); !back.leaf.Load().Leaf.Equal(k.leaf.Load().Leaf) {
		t.Error("a name that comes back has another certificate")
	}
}

func TestHostsAreFoundWithoutCaseAndByTheirWildcard(t *testing.T) {
	m := local(t, database(t))
	m.Set("stage", []string{"Shop.Example.com", "*.Apps.example.com."})
	for host, want := range map[string]bool{
		"shop.example.com": true, "SHOP.example.COM.": true, "a.apps.example.com": true, "A.APPS.EXAMPLE.COM": true,
		"apps.example.com": false, "a.b.apps.example.com": false, "example.com": false, "com": false, "": false, ".": false,
	} {
		if m.Has(host) != want {
			t.Errorf("%q: %v", host, m.Has(host))
		}
	}
}

func TestAWildcardAnswersUntilAHostHasItsOwn(t *testing.T) {
	m := local(t, database(t))
	m.Set("stage", []string{"*.localhost"})
	waiting := m.keeper("web.localhost")
	m.names.put(waiting)
	if got := m.names.forHost("web.localhost"); got == nil || got.name != "*.localhost" {
		t.Errorf("answered by %v", got)
	}
	waiting.leaf.Store(m.names.get("*.localhost").leaf.Load())
	if got := m.names.forHost("web.localhost"); got != waiting {
		t.Errorf("answered by %v", got)
	}
}

func TestALocalManagerHasNoChallenges(t *testing.T) {
	m := local(t, database(t))
	if m.Challenges(nil) != nil {
		t.Error("requests take a way round")
	}
	if c := opened(t, newPebble(t, closed(t), closed(t), 0).use(config(t, database(t))), quick()); c.Authority() != nil {
		t.Error("a directory's manager has an authority")
	}
}

func BenchmarkHas(b *testing.B) {
	m := &Manager{}
	m.names.put(&keeper{name: "*.example.com"})
	for b.Loop() {
		m.Has("shop.example.com")
	}
}

func TestWhoWantsToKnowIsToldOfAllThatIsServed(t *testing.T) {
	told := 0
	m := local(t, database(t))
	m.changed = func() { told++ }
	m.Set("one", []string{"a.localhost", "*.b.localhost"})
	if all := m.All(); told == 0 || len(all) != 2 || all["a.localhost"] == nil || all["*.b.localhost"] == nil {
		t.Errorf("told %d times of %v", told, all)
	}
	told = 0
	m.Set("one", []string{"a.localhost"})
	if all := m.All(); told == 0 || len(all) != 1 {
		t.Errorf("told %d times of %v", told, all)
	}
}
