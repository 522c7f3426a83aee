package router

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

var errUnasked = errors.New("the app changes to a protocol that the client has not asked for")

// upgrade joins client and app, whose connections carry another protocol from now on, until both directions have ended.
func (f *flight) upgrade(res *http.Response) {
	app, ok := res.Body.(net.Conn)
	protocol := upgradeOf(res.Header)
	if !ok || f.protocol == "" || !strings.EqualFold(protocol, f.protocol) {
		f.fail(fmt.Errorf("upgrade to %q: %w", protocol, errUnasked))
		return
	}
	client, buffered, err := http.NewResponseController(f.writer).Hijack()
	if err != nil {
		f.fail(fmt.Errorf("upgrade to %q: %w", protocol, err))
		return
	}
	t := &tunnel{client: client, app: app}
	defer t.close()
	defer context.AfterFunc(f.request.Context(), t.close)()
	if err := f.agree(res, protocol, buffered.Writer); err != nil {
		return // the client has left
	}
	t.run(buffered.Reader)
}

// agree tells the client what the app has answered.
func (f *flight) agree(res *http.Response, protocol string, client *bufio.Writer) error {
	removeHopByHop(res.Header, nil)
	header := f.writer.Header()
	move(header, res.Header)
	header["Connection"], header["Upgrade"] = []string{"Upgrade"}, []string{protocol}
	answer := *res
	answer.Header, answer.Body = header, nil // only the header is written
	if err := answer.Write(client); err != nil {
		return err
	}
	return client.Flush()
}

// tunnel is a connection of a client and one of an app. Each side's end is passed on as the end of one direction; what
// goes wrong with one of them ends both.
type tunnel struct {
	client, app net.Conn
	closing     sync.Once
}

// run returns when both directions have ended. The client may have said something already, behind its request.
func (t *tunnel) run(said *bufio.Reader) {
	early, _ := said.Peek(said.Buffered())
	var up sync.WaitGroup
	up.Go(func() {
		if len(early) > 0 {
			_, _ = t.app.Write(early) // its error is the next one's too
		}
		t.pump(t.app, t.client)
	})
	t.pump(t.client, t.app)
	up.Wait()
}

// pump passes on one direction. Between two TCP connections io.Copy leaves the work to the kernel, where it can.
func (t *tunnel) pump(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		t.close()
	}
}

func (t *tunnel) close() {
	t.closing.Do(func() {
		_ = t.client.Close()
		_ = t.app.Close()
	})
}
