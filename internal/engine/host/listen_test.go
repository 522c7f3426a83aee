package host

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestSocketsAreReadFromProc(t *testing.T) {
	for line, want := range map[string]string{
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1":                               "127.0.0.1:8080",
		"   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1":                               "0.0.0.0:22",
		"   0: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 00000000:00000000 0 0 0 0 1": "[::1]:5000",
		"   0: 0000000000000000FFFF00000100007F:1388 00000000000000000000000000000000:0000 0A 00000000:00000000 0 0 0 0 1": "127.0.0.1:5000",
		"   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  0 0 1":                               "",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode":                 "",
		"   0: zz:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1":                                     "",
	} {
		got := ""
		if a, ok := listening(line); ok {
			got = a.String()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func TestOwnSocketsAreFound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc/net here")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test's
	found, err := ListeningOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(found, netip.MustParseAddrPort(l.Addr().String())) {
		t.Errorf("%s is not among %v", l.Addr(), found)
	}
}

func TestTheHintSaysWhereTheTaskListens(t *testing.T) {
	at := func(all ...string) (found []netip.AddrPort) {
		for _, a := range all {
			found = append(found, netip.MustParseAddrPort(a))
		}
		return found
	}
	for part, found := range map[string][]netip.AddrPort{
		"listens on no port":              nil,
		"listens on port 3000, 8080: let": at("[::]:8080", "0.0.0.0:3000", "0.0.0.0:8080"),
		"127.0.0.1:5000 only":             at("127.0.0.1:5000"),
		"took it too long":                at("127.0.0.1:5000", "[::]:5000"),
	} {
		if hint := listenHint(found, 5000); !strings.Contains(hint, part) {
			t.Errorf("got %q, want %q", hint, part)
		}
	}
}
