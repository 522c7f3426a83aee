package publish

import (
	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/routing"
)

// find remembers what the server before has published of a stage.
func (p *Publisher) find(o published.Object) {
	if o.Kind != published.KindStage {
		return
	}
	if s, err := published.ReadStage(o); err == nil { // what is spoilt is written anew
		p.found[o.Name] = s.Routes
	}
}

// waits reports whether an app of a stage has fewer tasks than the server before has published: this one may not know yet that
// they are well, and routers lead to them just now. p.mu is held.
func (p *Publisher) waits(e *entry) bool {
	before, was := p.found[e.want.Name]
	if !was || e.gone() {
		return false
	}
	is, err := published.ReadStage(e.want)
	if err != nil || !hasFewer(is.Routes, before) {
		delete(p.found, e.want.Name)
		return false
	}
	return true
}

// adopted is called when nothing is waited for any more.
func (p *Publisher) adopted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = nil
	p.beginAll()
}

// hasFewer reports an app that is in both and has fewer tasks than before.
func hasFewer(is, before routing.Routes) bool {
	had := map[string]int{}
	for _, app := range before.Apps {
		had[app.App] = len(app.Tasks)
	}
	for _, app := range is.Apps {
		if len(app.Tasks) < had[app.App] {
			return true
		}
	}
	return false
}
