package router_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

const upgradeRequest = "GET /socket HTTP/1.1\r\nHost: " + testHost + "\r\nConnection: keep-alive, upgrade\r\nUpgrade: echo\r\n\r\n"

func TestWhatIsSaidTogetherWithAnUpgradeIsNotLost(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, scripted(t, "a",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: Echo\r\nX-Mine: kept\r\nKeep-Alive: gone\r\n\r\nearly from the app, ",
		func(conn *net.TCPConn) {
			got := make([]byte, len("early from the client"))
			_, _ = io.ReadFull(conn, got)
			_, _ = conn.Write(got)
		})))
	conn := newKeptConn(t, f.addr)
	if _, err := io.WriteString(conn, upgradeRequest+"early from the client"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(conn.reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answered %v, %v", res, err)
	}
	if h := res.Header; h.Get("Upgrade") != "Echo" || h.Get("Connection") != "Upgrade" || h.Get("X-Mine") != "kept" || h.Get("Keep-Alive") != "" {
		t.Errorf("answered %v", h)
	}
	if all, err := io.ReadAll(conn.reader); string(all) != "early from the app, early from the client" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
}

func TestAnAppThatHasNoMoreToSayIsStillToldAfterAnUpgrade(t *testing.T) {
	f := newFront(t, router.Config{})
	told := make(chan string, 1)
	f.Set("stage", route(testHost, scripted(t, "a", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
		func(conn *net.TCPConn) {
			_ = conn.CloseWrite()
			all, _ := io.ReadAll(conn)
			told <- string(all)
		})))
	conn, reader, _ := f.upgrade(t, testHost, "echo")
	if rest, err := io.ReadAll(reader); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
	_, _ = io.WriteString(conn, "the rest")
	_ = conn.CloseWrite()
	if all := <-told; all != "the rest" {
		t.Errorf("the app was told %q", all)
	}
}

func TestOnlyTheProtocolThatWasAskedForIsChangedTo(t *testing.T) {
	asked := "Connection: Upgrade\r\nUpgrade: echo\r\n"
	for name, test := range map[string]struct{ asked, answered string }{
		"nothing was asked, and nothing is named": {"", ""},
		"nothing is named":                        {asked, ""},
		"another one":                             {asked, "Connection: Upgrade\r\nUpgrade: other\r\n"},
		"not for this connection":                 {asked, "Upgrade: echo\r\n"},
	} {
		f := newFront(t, router.Config{})
		f.Set("stage", route(testHost, scripted(t, "a", "HTTP/1.1 101 Switching Protocols\r\n"+test.answered+"\r\n", nil)))
		if code := f.raw(t, "GET / HTTP/1.1\r\nHost: "+testHost+"\r\n"+test.asked+"\r\n"); code != http.StatusBadGateway {
			t.Errorf("%s: answered %d", name, code)
		}
		eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
	}
}

func TestAProtocolThatCannotBeWrittenIsABadRequest(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, named(t, "a")))
	if code := f.raw(t, "GET / HTTP/1.1\r\nHost: "+testHost+"\r\nConnection: Upgrade\r\nUpgrade: \xff\r\n\r\n"); code != http.StatusBadRequest {
		t.Errorf("answered %d", code)
	}
}

func TestAClientThatLeavesEndsItsUpgradedConnection(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, scripted(t, "a", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
		func(conn *net.TCPConn) { // says more and more, until nobody is there
			for {
				if _, err := io.WriteString(conn, strings.Repeat("more", 1000)); err != nil {
					return
				}
			}
		})))
	conn, reader, _ := f.upgrade(t, testHost, "echo")
	if _, err := bufio.NewReader(reader).ReadByte(); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetLinger(0)
	_ = conn.Close()
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}
