// Package domain is the use case of custom domains as far as it needs more than a stage's Spec: which names are the
// server's own, who else has validated a name, what to publish in DNS and whether it is there, and the list that
// `setops domain` shows. The rules that need none of it are in setops and changeset; routes and certificates are made
// elsewhere, from what is committed.
//
// Start with Service.Admit, which is asked of every command that is staged, then Service.List.
package domain

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// Store says who has what.
type Store interface {
	// DomainOwner gives who has validated a domain; ok is false where nobody has.
	DomainOwner(ctx context.Context, name string) (stageID, app string, ok bool, err error)
	// Ports gives the reserved TCP ports of a stage by app.
	Ports(ctx context.Context, stageID string) (map[string]int, error)
}

// Certificates says how far the certificate of a host is.
type Certificates interface {
	// Status is ready, ordering or failed, with the reason of the failure; empty where none is wanted.
	Status(host string) (state string, reason error)
}

// Config is what a Service is made from.
type Config struct {
	Hosts           setops.Hosts // where public apps answer by themselves
	PublicAddresses []netip.Addr // where the world reaches the router; may be none
	Resolver        string       // HOST:PORT of the name server to ask; empty: those of the system
	Key             []byte       // of the validation records: whoever changes it changes what users have published
	Store           Store
	Certificates    Certificates // nil where the server does not speak TLS
}

// Service does it.
type Service struct {
	Config
	resolve resolver
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c, resolve: resolver{address: c.Resolver}} }

// Admit refuses a command that is being staged for what only the server knows: its own names, domains of apps on other
// stages, and, of `domain:validate`, what DNS says; that takes at most LookupLimit. Commands about other things are
// admitted. Errors: ValidationFailed; temporary where DNS did not answer.
func (s *Service) Admit(ctx context.Context, stage setops.StageRef, c changeset.Command) error {
	if err := s.Recheck(ctx, stage, c); err != nil {
		return err
	}
	if v, ok := c.(*changeset.DomainValidate); ok && setops.CheckDomain(v.Domain) == nil {
		return s.validate(ctx, stage, v)
	}
	return nil
}

// Recheck is Admit without DNS: it tells at the commit what has changed since a command was staged.
func (s *Service) Recheck(ctx context.Context, stage setops.StageRef, c changeset.Command) error {
	switch c := c.(type) {
	case *changeset.DomainCreate:
		if err := s.refuseOwn(c.Domain); err != nil {
			return err
		}
		return s.refuseTaken(ctx, stage, c.Domain)
	case *changeset.DomainDestroy:
		return s.refuseDefault(stage, c)
	case *changeset.DomainValidate:
		return s.refuseTaken(ctx, stage, c.Domain)
	case *changeset.DomainOptionSet:
		if c.StaticIP != nil && *c.StaticIP && len(s.PublicAddresses) == 0 {
			return setops.Refuse(setops.CodeCurrentlyNotSupported,
				"this server has no fixed addresses for %s; publish the CNAME record that `setops --app %s domain` shows, or ask its operator for --public-addresses",
				c.Domain, c.AppName)
		}
	}
	return nil
}

// refuseOwn keeps the names of all apps, and the server's, out of the hands of a single app.
func (s *Service) refuseOwn(domain string) error {
	if base := strings.TrimPrefix(domain, "*."); base != s.Hosts.Domain && !strings.HasSuffix(base, "."+s.Hosts.Domain) {
		return nil
	}
	return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
		Field: "domain", Validator: setops.NotIncluded,
		Message: fmt.Sprintf("%s is a name of this server, which gives every public app one below %s by itself; a custom domain is one of your own", domain, s.Hosts.Domain),
	}})
}

// refuseDefault says of the domain that an app has by itself what can be done in place of destroying it.
func (s *Service) refuseDefault(stage setops.StageRef, c *changeset.DomainDestroy) error {
	if c.Domain != s.Hosts.Default(stage, c.AppName) {
		return nil
	}
	return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
		Field: "domain", Validator: setops.NotIncluded,
		Message: fmt.Sprintf("%s is the default domain of app %s and cannot be destroyed; `setops -p %s -s %s --app %s network:set public false` stops serving the app there and at its other domains",
			c.Domain, c.AppName, stage.Project, stage.Name, c.AppName),
	}})
}

// refuseTaken leaves the apps of the same stage to Fold, which sees what becomes of them in the same changeset.
func (s *Service) refuseTaken(ctx context.Context, stage setops.StageRef, domain string) error {
	owner, _, taken, err := s.Store.DomainOwner(ctx, domain)
	if err != nil {
		return fmt.Errorf("look up who has domain %s: %w", domain, err)
	}
	if taken && owner != stage.ID {
		return setops.DomainTaken(domain)
	}
	return nil
}
