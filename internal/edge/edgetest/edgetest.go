// Package edgetest is a namespace of published objects in memory, as tests need it. Writes can be made to fail.
package edgetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/setopsco/setops/internal/edge/published"
)

// Namespace implements published.Objects and published.Source. The zero value is empty.
type Namespace struct {
	mu        sync.Mutex
	objects   map[string]published.Object
	resource  int
	writes    int
	fault     error
	refused   int
	followers map[int]chan event
	next      int
}

type event struct {
	object published.Object
	gone   bool
}

// Fail has all that is asked fail from now on; nil: nothing.
func (n *Namespace) Fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = err
}

// Writes is how often something was written.
func (n *Namespace) Writes() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.writes
}

// Refused is how often something could not be read or written because of the fault that was set.
func (n *Namespace) Refused() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refused
}

// refuse gives the fault that was set, nil where there is none.
func (n *Namespace) refuse() error {
	if n.fault != nil {
		n.refused++
	}
	return n.fault
}

// Get implements published.Objects.
func (n *Namespace) Get(_ context.Context, _ published.Kind, name string) (published.Object, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o, is := n.objects[name]
	if n.fault == nil && !is {
		return o, fmt.Errorf("%s: %w", name, published.ErrNone)
	}
	return o, n.refuse()
}

// List implements published.Objects.
func (n *Namespace) List(_ context.Context, kind published.Kind) (all []published.Object, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range n.objects {
		if o.Kind == kind {
			all = append(all, o)
		}
	}
	return all, n.refuse()
}

// Create implements published.Objects.
func (n *Namespace) Create(_ context.Context, o published.Object) (published.Object, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, is := n.objects[o.Name]; is && n.fault == nil {
		return o, published.ErrChanged
	}
	return n.write(o)
}

// Update implements published.Objects.
func (n *Namespace) Update(_ context.Context, o published.Object) (published.Object, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.compare(o); err != nil {
		return o, err
	}
	return n.write(o)
}

// Delete implements published.Objects.
func (n *Namespace) Delete(_ context.Context, o published.Object) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.compare(o); err != nil {
		return err
	}
	n.writes++
	last := n.objects[o.Name]
	delete(n.objects, o.Name)
	n.tell(event{last, true})
	return nil
}

func (n *Namespace) compare(o published.Object) error {
	there, is := n.objects[o.Name]
	switch {
	case n.fault != nil:
		return n.refuse()
	case !is:
		return published.ErrNone
	case there.Resource != o.Resource:
		return published.ErrChanged
	}
	return nil
}

func (n *Namespace) write(o published.Object) (published.Object, error) {
	if n.fault != nil {
		return o, n.refuse()
	}
	if n.objects == nil {
		n.objects = map[string]published.Object{}
	}
	n.resource++
	n.writes++
	o.Resource = strconv.Itoa(n.resource)
	n.objects[o.Name] = o
	n.tell(event{o, false})
	return o, nil
}

func (n *Namespace) tell(e event) {
	for _, f := range n.followers {
		f <- e
	}
}

// Follow implements published.Source.
func (n *Namespace) Follow(ctx context.Context, changed func(o published.Object, gone bool), synced func()) error {
	events := make(chan event, 1000) // more than a test makes
	n.mu.Lock()
	for _, o := range n.objects {
		events <- event{o, false}
	}
	there := len(events)
	if n.followers == nil {
		n.followers = map[int]chan event{}
	}
	id := n.next
	n.next++
	n.followers[id] = events
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.followers, id)
	}()
	for i := 0; ; i++ {
		if i == there {
			synced()
		}
		select {
		case e := <-events:
			changed(e.object, e.gone)
		case <-ctx.Done():
			return nil
		}
	}
}
