//go:build linux

package subnet

import (
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRoutesAndAddressesAreTaken(t *testing.T) {
	ownHost(t)
	ip(t, "link add awake type bridge")
	ip(t, "addr add 10.1.1.1/24 dev awake")
	ip(t, "link set awake up") // without carrier, as a bridge that nobody is on
	ip(t, "link add asleep type bridge")
	ip(t, "addr add 10.2.2.1/24 dev asleep")
	ip(t, "route add 10.3.0.0/16 dev awake table 52")
	ip(t, "route add default dev awake")
	for except, want := range map[string]string{
		"":       "10.1.1.0/24 10.2.2.0/24 10.3.0.0/16",
		"none":   "10.1.1.0/24 10.2.2.0/24 10.3.0.0/16",
		"awake":  "10.2.2.0/24",
		"asleep": "10.1.1.0/24 10.3.0.0/16",
	} {
		taken, err := Taken(except)
		if err != nil {
			t.Fatal(err)
		}
		for _, candidate := range []string{"10.1.1.0/24", "10.2.2.0/24", "10.3.0.0/16", "10.4.4.0/24"} {
			overlaps := slices.ContainsFunc(taken, netip.MustParsePrefix(candidate).Overlaps)
			if overlaps != strings.Contains(want, candidate) {
				t.Errorf("except %q: %s is taken: %v", except, candidate, overlaps)
			}
		}
	}
}

// ownHost is a network namespace that the test's goroutine lives in. It ends with the test.
func ownHost(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("SETOPS_TEST_ALL") != "" {
			t.Fatal("networks need root")
		}
		t.Skip("networks need root")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
}

func ip(t *testing.T, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", words, err, out)
	}
}
