package daemon

import (
	"path"
	"regexp"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// stagePattern is ORGANIZATION/PROJECT/STAGE, with * for any part of a name.
var stagePattern = regexp.MustCompile(`^[a-z0-9*-]+/[a-z0-9*-]+/[a-z0-9*-]+$`)

func (c *Config) checkRestricted(r *refusals) {
	c.settings.restricted = list(c.RestrictedStages)
	for _, pattern := range c.settings.restricted {
		r.where(!stagePattern.MatchString(pattern),
			"--restricted-stages %q names no stages; write ORGANIZATION/PROJECT/STAGE, with * for any part of a name, as demo/*/prod*", pattern)
	}
}

// restricted reports whether no task of a stage may run as root.
func (c *Config) restricted(s setops.StageRef) bool {
	return c.PodSecurity == podsRestricted || slices.ContainsFunc(c.settings.restricted, func(pattern string) bool {
		matched, _ := path.Match(pattern, s.Organization+"/"+s.Project+"/"+s.Name) // it was checked
		return matched
	})
}
