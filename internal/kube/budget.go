package kube

import (
	"net"
	"time"

	"k8s.io/client-go/rest"
)

// budget is how much is asked of the API server.
type budget struct{ perSecond, atOnce int }

var (
	// forAnswers is more than the client's own default, which holds a commit up for seconds.
	forAnswers = budget{perSecond: 200, atOnce: 400}
	// forStreams lets those of ten thousand tasks begin within two minutes.
	forStreams = budget{perSecond: 100, atOnce: 200}
)

func (b budget) limit(c *rest.Config) { c.QPS, c.Burst = float32(b.perSecond), b.atOnce }

// dialTimeout is the client's own.
const dialTimeout = 30 * time.Second

// Apart is the same API for many streams that last: nothing that is asked of a waits for them, as they have a budget and connections of
// their own.
func (a API) Apart() (API, error) {
	config := rest.CopyConfig(a.Config)
	forStreams.limit(config)
	config.UserAgent += "/streams"
	// Who dials by a function of his own shares no connections.
	config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}).DialContext
	return New(config)
}
