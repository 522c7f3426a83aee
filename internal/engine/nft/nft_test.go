//go:build linux

package nft

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

const testTable = "setops-test"

// alone puts the test into a network namespace of its own, whose packet filter is empty.
func alone(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("SETOPS_TEST_ALL") != "" {
			t.Fatal("the packet filter needs root")
		}
		t.Skip("the packet filter needs root")
	}
	// Never unlocked: the thread, and with it the namespace, ends with the test.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
}

// ports is a map from a port to another.
var ports = Set[[2]byte]{
	Family: nftables.TableFamilyINet, ID: 1, Name: "ports", Key: nftables.TypeInetService,
	KeyOf: func(p [2]byte) []byte { return []byte{0, p[0]} },
	Value: nftables.TypeInetService, ValueOf: func(p [2]byte) []byte { return []byte{0, p[1]} },
}

func makePorts(t *testing.T, elements ...[2]byte) {
	t.Helper()
	err := ReplaceTable(ports.Family, testTable, func(conn *nftables.Conn, table *nftables.Table) error {
		_, err := ports.Make(conn, table.Name, elements)
		c := BaseChain(conn, nftables.Chain{
			Table: table, Name: "input", Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
		})
		Add(conn, c, IPv6(), Drop())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// update gives what the set has afterwards.
func update(t *testing.T, want [][2]byte, spent func(key []byte) bool) (changed bool, there []string) {
	t.Helper()
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	changed, err = ports.Update(conn, testTable, want, spent)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	elements, err := conn.GetSetElements(ports.In(testTable))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range elements {
		there = append(there, fmt.Sprintf("%d:%d", e.Key[1], e.Val[1]))
	}
	slices.Sort(there)
	return changed, there
}

func TestAnUpdateChangesWhatIsNotAsItShouldBe(t *testing.T) {
	alone(t)
	makePorts(t, [2]byte{1, 11}, [2]byte{2, 12}, [2]byte{3, 13}, [2]byte{4, 14})
	nothing := func([]byte) bool { return false }
	upTo2 := func(key []byte) bool { return key[1] <= 2 }
	for _, step := range []struct {
		want    [][2]byte
		spent   func([]byte) bool
		changed bool
		there   string
	}{
		{nil, nothing, false, "[1:11 2:12 3:13 4:14]"},
		{[][2]byte{{1, 11}}, nothing, false, "[1:11 2:12 3:13 4:14]"},
		{[][2]byte{{2, 22}, {5, 15}}, upTo2, true, "[2:22 3:13 4:14 5:15]"},
		{[][2]byte{{2, 22}, {5, 15}}, upTo2, false, "[2:22 3:13 4:14 5:15]"},
		{[][2]byte{{4, 44}}, nothing, true, "[2:22 3:13 4:44 5:15]"},
		{nil, upTo2, true, "[3:13 4:44 5:15]"},
	} {
		changed, there := update(t, step.want, step.spent)
		if changed != step.changed || fmt.Sprint(there) != step.there {
			t.Errorf("%v: changed %v to %v, want %v", step.want, changed, there, step.there)
		}
	}
}

func TestAMarkHoldsUntilSomebodyChangesSomething(t *testing.T) {
	alone(t)
	var m Mark
	if m.Holds() {
		t.Error("one that was never set holds")
	}
	makePorts(t)
	m.Set()
	if !m.Holds() || !HasRules(ports.Family, testTable, "input") || !m.Holds() {
		t.Error("looking makes it void")
	}
	if err := m.Over(func() error { return ports.Include(testTable, [2]byte{1, 11}) }); err != nil || !m.Holds() {
		t.Errorf("a change of ours makes it void: %v", err)
	}
	if err := m.Over(func() error { return ports.Exclude(testTable, [2]byte{9, 19}) }); err != nil || !m.Holds() {
		t.Errorf("a change that is none makes it void: %v", err)
	}
	err := m.Over(func() error {
		if err := ports.Include(testTable, [2]byte{3, 13}); err != nil { // stands for somebody else's
			return err
		}
		return ports.Include(testTable, [2]byte{2, 12})
	})
	if err != nil || m.Holds() {
		t.Errorf("it holds over what others did at the same time: %v", err)
	}
	m.Set()
	if err := ReplaceTable(ports.Family, testTable, nil); err != nil || m.Holds() {
		t.Errorf("it holds though the table is gone: %v", err)
	}
	if HasRules(ports.Family, testTable, "input") {
		t.Error("there are rules still")
	}
}

func TestALostSetIsSaidToBeSo(t *testing.T) {
	alone(t)
	if err := ports.Include(testTable, [2]byte{1, 11}); err == nil {
		t.Error("no error")
	}
	if err := ports.Exclude(testTable, [2]byte{1, 11}); err != nil {
		t.Errorf("what is gone with its set: %v", err)
	}
}

func TestTheHostsFirewallIsOpenedWhereItIsShut(t *testing.T) {
	rules := []Pass{
		{Chain: "INPUT", Rule: "-i so1 -j ACCEPT", Because: []string{"-P INPUT DROP"}},
		{Chain: "DOCKER-USER", Rule: "-i so1 -j ACCEPT", Because: []string{"-N DOCKER-USER"}},
	}
	for _, c := range []struct {
		listed []string
		wanted bool
		want   string
	}{
		{[]string{"-P INPUT ACCEPT"}, true, "[]"},
		{[]string{"-P INPUT DROP"}, true, "[[-I INPUT -i so1 -j ACCEPT]]"},
		{[]string{"-P INPUT DROP", "-A INPUT -i so1 -j ACCEPT"}, true, "[]"},
		{[]string{"-N DOCKER-USER", "-A INPUT -i so1 -j ACCEPT"}, true, "[[-I DOCKER-USER -i so1 -j ACCEPT]]"},
		{[]string{"-P INPUT DROP", "-A INPUT -i so1 -j ACCEPT"}, false, "[[-D INPUT -i so1 -j ACCEPT]]"},
		{[]string{"-P INPUT DROP"}, false, "[]"},
	} {
		if got := fmt.Sprint(changes(c.listed, rules, c.wanted)); got != c.want {
			t.Errorf("%q, wanted %v: got %s, want %s", c.listed, c.wanted, got, c.want)
		}
	}
}
