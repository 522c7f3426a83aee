package names

import (
	"context"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine/lookup"
)

// internal is where all private names are below.
const internal = "internal."

// world answers what is not private.
type world interface {
	Ask(ctx context.Context, transport string, q *dns.Msg) (*dns.Msg, error)
}

// handler answers the questions of tasks.
type handler struct {
	ctx       context.Context // of the server
	directory *directory
	world     world
	patience  time.Duration // with an address that is not known yet
	limit     *limit
}

func (h *handler) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	from, err := netip.ParseAddrPort(w.RemoteAddr().String())
	if err != nil {
		return
	}
	client := from.Addr().Unmap().WithZone("")
	if !h.limit.take(client) {
		lookup.Reply(w, lookup.Failure(q))
		return
	}
	defer h.limit.give(client)
	if h.directory.isPrivate(q) {
		lookup.Reply(w, h.private(client, q))
		return
	}
	answer, err := h.world.Ask(h.ctx, w.RemoteAddr().Network(), q)
	if err != nil {
		answer = lookup.Failure(q)
	}
	lookup.Reply(w, answer)
}

// private never denies a name to somebody whose stage is not known: it would be believed, and not asked for again.
func (h *handler) private(client netip.Addr, q *dns.Msg) *dns.Msg {
	ctx, cancel := context.WithTimeout(h.ctx, h.patience)
	defer cancel()
	namespace, known := h.directory.owner(ctx, client)
	if !known {
		return lookup.Failure(q)
	}
	return h.directory.table(namespace).Answer(q, h.directory.synced())
}
