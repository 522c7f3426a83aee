package published_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/routing"
)

func TestANewerTermIsNewerWhateverTheNumber(t *testing.T) {
	order := []published.Version{{}, {Term: 1}, {Term: 1, Number: 1}, {Term: 1, Number: 10}, {Term: 2}, {Term: 10, Number: 1}}
	for i, a := range order {
		for j, b := range order {
			if got := a.Before(b); got != (i < j) {
				t.Errorf("%s before %s: %v", a, b, got)
			}
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	s := published.Stage{ID: "s1", Routes: routing.Routes{Apps: []routing.Route{
		{
			App: "web", Hosts: []routing.Host{{Name: "web.example.net"}, {Name: "www.example.net", Redirect: "web.example.net"}}, Port: 5000,
			Private: "web.prod.shop.internal", Check: &routing.Check{Path: "/up", Status: "200-399"},
			Tasks: []routing.Task{{ID: "t1", Address: "192.0.2.1:5000"}},
		},
		{App: "db", TCP: true, Port: 5432},
	}}}
	v := published.Version{Term: 3, Number: 4}
	o, err := s.Object(v)
	if err != nil || o.Version != v {
		t.Fatal(o.Version, err)
	}
	if got, err := published.ReadStage(o); err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, %v", got, err)
	}
	i := published.Index{Installation: "0123abcd", Complete: true, APIHost: "api.example.net"}
	if o, err = i.Object(v); err != nil {
		t.Fatal(err)
	}
	if got, err := published.ReadIndex(o); err != nil || got != i {
		t.Errorf("got %+v, %v", got, err)
	}
	if got := published.ReadKey(published.Key("secret", v)); got != "secret" {
		t.Errorf("got %s", got)
	}
}

func TestWhatOthersHaveSpoiltIsNamed(t *testing.T) {
	o := published.Object{Name: "routes-s1", Data: map[string][]byte{"routes.json": []byte("{")}}
	if _, err := published.ReadStage(o); err == nil || !strings.Contains(err.Error(), "routes-s1") {
		t.Errorf("%v", err)
	}
}

// A ConfigMap holds 1 MiB. The docs say how many tasks a stage may have.
func TestALargeStageFitsIntoOneObject(t *testing.T) {
	s := published.Stage{ID: strings.Repeat("a", 32)}
	const apps, tasks = 500, 16
	for range apps {
		a := routing.Route{
			App: strings.Repeat("a", 40), Hosts: []routing.Host{{Name: strings.Repeat("h", 80)}}, Port: 65535, Private: strings.Repeat("p", 80),
			Check: &routing.Check{Path: strings.Repeat("p", 20), Status: "200-399"},
		}
		for range tasks {
			a.Tasks = append(a.Tasks, routing.Task{ID: strings.Repeat("i", 36), Address: "255.255.255.255:65535"})
		}
		s.Routes.Apps = append(s.Routes.Apps, a)
	}
	o, err := s.Object(published.Version{})
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, v := range o.Data {
		size += len(v)
	}
	if size > 1<<20 {
		t.Errorf("%d tasks take %d bytes", apps*tasks, size)
	}
	t.Logf("%d tasks take %d bytes", apps*tasks, size)
}
