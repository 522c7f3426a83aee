//go:build linux

package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/subnet"
	"github.com/setopsco/setops/internal/setops"
)

func tcpFronts(count int) []engine.Front {
	var all []engine.Front
	for i := range count {
		app := fmt.Sprint("app", i)
		all = append(all, engine.Front{Host: app + ".live.internal", App: app, Protocol: setops.TCP, Port: 5432})
	}
	return all
}

func newPlace(fronts ...engine.Front) *place {
	within := netip.MustParsePrefix("10.213.7.0/24")
	return &place{
		Stage:  Stage{ID: "live", Subnet: within, Address: within.Addr().Next()},
		fronts: fronts, set: true, hosts: map[string]byte{},
	}
}

func TestEachTCPAppHasAnAddressOfItsOwn(t *testing.T) {
	p := newPlace(tcpFronts(mostFronts - 1)...)
	p.Taken = []netip.Addr{netip.MustParseAddr("10.213.7.200")}
	if err := p.chooseAddresses(); err != nil {
		t.Fatal(err)
	}
	seen := map[netip.Addr]string{p.Taken[0]: "a task"}
	for _, f := range p.fronts {
		a, known := p.addressOf(f)
		if other := seen[a]; !known || other != "" || !p.Subnet.Contains(a) || a.As4()[3] < subnet.FirstFront || a.As4()[3] == 255 {
			t.Errorf("%s is at %s, where %q is", f.App, a, other)
		}
		seen[a] = f.App
	}
}

func TestTooManyTCPAppsAreSaidToBeSo(t *testing.T) {
	p := newPlace(tcpFronts(mostFronts + 1)...)
	if err := p.chooseAddresses(); err == nil {
		t.Error("no error")
	}
	if len(p.hosts) != mostFronts || len(p.table()) != mostFronts {
		t.Errorf("%d apps have an address, %d a name, want %d", len(p.hosts), len(p.table()), mostFronts)
	}
}

func TestAnAddressDependsOnTheNameOfItsAppFirst(t *testing.T) {
	one, other := newPlace(tcpFronts(3)...), newPlace(tcpFronts(3)[2:]...)
	for _, p := range []*place{one, other} {
		if err := p.chooseAddresses(); err != nil {
			t.Fatal(err)
		}
	}
	if one.hosts["app2"] != other.hosts["app2"] {
		t.Errorf("app2 is at %d and at %d", one.hosts["app2"], other.hosts["app2"])
	}
	before := one.hosts["app1"]
	one.fronts = append(one.fronts[1:2:2], engine.Front{App: "app0", Protocol: setops.HTTP})
	if err := one.chooseAddresses(); err != nil || len(one.hosts) != 1 || one.hosts["app1"] != before {
		t.Errorf("got %v %v", one.hosts, err)
	}
}

func TestPrivateNamesAreReadAgain(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Instance: "0badcafe", Serve: func(string, engine.Front, net.Listener) {}}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(tcpFronts(2)...)
	if err := p.chooseAddresses(); err != nil {
		t.Fatal(err)
	}
	if err := g.remember(p); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{".new-1": "{", "torn.json": "{", filepath.Base(g.path("test")): `{"ID":"live"}`} {
		if err := os.WriteFile(filepath.Join(cfg.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	q := again.places["live"]
	if len(again.places) != 1 || q == nil || q.set || fmt.Sprint(q.hosts) != fmt.Sprint(p.hosts) || fmt.Sprint(q.fronts) != fmt.Sprint(p.fronts) {
		t.Errorf("got %+v, want %+v", q, p)
	}
	if files, _ := os.ReadDir(cfg.Dir); len(files) != 1 {
		t.Errorf("files %v are left, want one", files)
	}
	p.fronts = nil
	if err := again.remember(p); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(cfg.Dir); len(files) != 0 {
		t.Errorf("files %v are left", files)
	}
}
