package domain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// LookupLimit is how long one domain's validation waits for DNS.
const LookupLimit = 5 * time.Second

// nameMax is the length of the longest name that DNS has, with its final dot.
const nameMax = 254

// validate asks DNS for the validation record, unless the app has validated the domain before: that holds until it is
// destroyed.
func (s *Service) validate(ctx context.Context, stage setops.StageRef, c *changeset.DomainValidate) error {
	owner, app, ok, err := s.Store.DomainOwner(ctx, c.Domain)
	if err != nil {
		return fmt.Errorf("look up who has domain %s: %w", c.Domain, err)
	}
	if ok && owner == stage.ID && app == c.AppName {
		return nil
	}
	wanted := s.Validation(stage, c.AppName, c.Domain)
	if len(wanted.Name) > nameMax {
		return unproven(setops.TooLong, "DNS has names of at most %d characters, and the validation record of this domain would be %s",
			nameMax-1, wanted.Name)
	}
	again := fmt.Sprintf("`setops -p %s -s %s --app %s domain:validate %s`", stage.Project, stage.Name, c.AppName, quoted(c.Domain))
	ctx, cancel := context.WithTimeout(ctx, LookupLimit)
	defer cancel()
	found, err := s.resolve.cname(ctx, wanted.Name)
	switch {
	case err != nil:
		return &setops.Error{
			Kind: setops.StateError, Code: setops.ValidationFailed, Temporary: true, Err: err,
			Message: fmt.Sprintf("DNS was asked for the CNAME record %s and gave no answer (%s); run %s again in a while", wanted.Name, err, again),
		}
	case found == "":
		return unproven(setops.NotFound, "DNS has no CNAME record %s yet; publish it with the value %s, and once it is there run %s again",
			wanted.Name, wanted.Values[0], again)
	case !sameName(found, wanted.Values[0]):
		return unproven(setops.Invalid, "the CNAME record %s has the value %s, and %s is needed; correct it, and once DNS knows run %s again",
			wanted.Name, found, wanted.Values[0], again)
	}
	return nil
}

func unproven(v setops.Validator, format string, args ...any) error {
	return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
		Field: "domain", Validator: v, Message: fmt.Sprintf(format, args...),
	}})
}

// quoted keeps a shell from taking a wildcard for names of files.
func quoted(domain string) string {
	if setops.IsWildcard(domain) {
		return "'" + domain + "'"
	}
	return domain
}

// sameName compares names as DNS does.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}
