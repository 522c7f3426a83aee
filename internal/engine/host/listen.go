package host

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Listener is what a Runtime may offer besides: the TCP addresses that a container listens on, seen from inside. It makes
// better sentences of refused connections.
type Listener interface {
	Listening(ctx context.Context, id string) ([]netip.AddrPort, error)
}

// ListeningOf reads the TCP addresses that are listened on in the network namespace of a process of this host.
func ListeningOf(pid int) ([]netip.AddrPort, error) {
	var found []netip.AddrPort
	for _, file := range []string{"tcp", "tcp6"} {
		f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "net", file))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read sockets: %w", err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if a, ok := listening(lines.Text()); ok {
				found = append(found, a)
			}
		}
		f.Close() //nolint:errcheck // it was only read
	}
	return found, nil
}

// listening reads a line of /proc/net/tcp: "sl local_address rem_address st …", state 0A is LISTEN, and addresses are
// words of 32 bits in the byte order of the machine, taken as little endian, then a colon and the port.
func listening(line string) (netip.AddrPort, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[3] != "0A" {
		return netip.AddrPort{}, false
	}
	address, port, _ := strings.Cut(fields[1], ":")
	raw, err := hex.DecodeString(address)
	n, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	ip, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), ok
}

// listenHint says where a task listens that refuses connections to port.
func listenHint(found []netip.AddrPort, port int) string {
	var elsewhere []string
	for _, a := range found {
		if int(a.Port()) == port && !a.Addr().IsLoopback() {
			return "; by now the task listens there, which took it too long"
		}
	}
	for _, a := range found {
		if int(a.Port()) == port {
			return fmt.Sprintf("; inside, the task listens on %s only, where nothing outside reaches it: let it listen on 0.0.0.0", a)
		}
		elsewhere = append(elsewhere, strconv.Itoa(int(a.Port())))
	}
	if len(elsewhere) == 0 {
		return "; the task listens on no port"
	}
	slices.Sort(elsewhere)
	return fmt.Sprintf("; the task listens on port %s: let it listen on the port that PORT names, or set the app's port",
		strings.Join(slices.Compact(elsewhere), ", "))
}
