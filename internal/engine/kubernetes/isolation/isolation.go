package isolation

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/setopsco/setops/internal/kube"
)

// Verdict is what was found out.
type Verdict string

// The verdicts.
const (
	Enforced   Verdict = "enforced"
	Unenforced Verdict = "not enforced"
	Unknown    Verdict = "unknown"
)

// Finding is a verdict and what it rests on.
type Finding struct {
	Verdict Verdict   `json:"verdict"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Program is what listens at the ports of a probe.
type Program struct {
	Image       string
	PullSecrets []string // of the namespace
	Command     []string // empty: the image's
	Args        []string
}

// Ports of a probe.
const (
	OpenPort = 8081 // callers are let to it
	ShutPort = 8082
)

// Config is what a Check needs.
type Config struct {
	API          kube.API
	Namespace    string // where the probe runs
	Installation string // is noted on it
	Program      Program
	Timings      Timings
}

// Timings are the durations that no user sets. Zero values mean the defaults; tests shorten them.
type Timings struct {
	Start  time.Duration // until the probe listens; default 2 min
	Settle time.Duration // until a policy counts, at the latest; default 30 s
	Dial   time.Duration // for one connection; default 2 s
	Pause  time.Duration // between two of them; default 500 ms
}

func (t Timings) withDefaults() Timings {
	orElse(&t.Start, 2*time.Minute)
	orElse(&t.Settle, 30*time.Second)
	orElse(&t.Dial, 2*time.Second)
	orElse(&t.Pause, 500*time.Millisecond)
	return t
}

func orElse(value *time.Duration, byDefault time.Duration) {
	if *value == 0 {
		*value = byDefault
	}
}

// Check looks once. It takes up to a minute where all is well, and leaves nothing behind; what it cannot remove ends by itself, and
// says so in the reason.
func Check(ctx context.Context, c Config) Finding {
	c.Timings = c.Timings.withDefaults()
	raw := make([]byte, 4)
	rand.Read(raw)
	p := probe{Config: c, id: hex.EncodeToString(raw)}
	f, err := p.look(ctx)
	if err != nil {
		f = Finding{Verdict: Unknown, Reason: err.Error()}
	}
	if err := p.remove(ctx); err != nil {
		f.Reason += "; " + err.Error()
	}
	f.At = time.Now().UTC()
	return f
}

func (p probe) look(ctx context.Context) (f Finding, err error) {
	if err := p.make(ctx); err != nil {
		return f, err
	}
	address, err := p.await(ctx)
	if err != nil {
		return f, err
	}
	at := func(port int) func(context.Context) error {
		return func(ctx context.Context) error {
			return dial(ctx, net.JoinHostPort(address, strconv.Itoa(port)), p.Timings.Dial)
		}
	}
	f, err = judge(ctx, p.Timings, at(OpenPort), at(ShutPort))
	if f.Verdict != Unenforced || err != nil {
		return f, err
	}
	return f, p.alone(ctx)
}

func dial(ctx context.Context, address string, limit time.Duration) error {
	conn, err := (&net.Dialer{Timeout: limit}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// enough is how often in a row the shut port must not be reached: one connection may be lost for other reasons.
const enough = 3

// judge calls both ports until it is clear. An error says why it is not.
func judge(ctx context.Context, t Timings, open, shut func(context.Context) error) (Finding, error) {
	if err := reach(ctx, t, open); err != nil {
		return Finding{}, fmt.Errorf("the probe listens, and is not reached where a policy allows it: %w", err)
	}
	missed := 0
	for settled := time.Now().Add(t.Settle); time.Now().Before(settled) || missed > 0; {
		err := shut(ctx)
		if err == nil {
			missed = 0
		} else if err := open(ctx); err != nil {
			return Finding{}, fmt.Errorf("the probe was reached at first, and is no more: %w", err)
		} else if missed++; missed == enough {
			return Finding{Verdict: Enforced, Reason: "a pod was reached where a policy allows it, and not where none does"}, nil
		}
		if err := pause(ctx, t.Pause); err != nil {
			return Finding{}, err
		}
	}
	return Finding{Verdict: Unenforced, Reason: "a pod was reached for " + t.Settle.String() + " at a port that a policy forbids"}, nil
}

// reach tries until it succeeds: where a network needs a moment for policies, some let nobody to a new pod.
func reach(ctx context.Context, t Timings, open func(context.Context) error) error {
	for deadline := time.Now().Add(t.Settle); ; {
		err := open(ctx)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, t.Pause); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
