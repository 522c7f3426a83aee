package httpapi

import (
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

func wireSchedule(name string, s setops.Schedule) api.Schedule {
	return api.Schedule{Name: name, Cron: s.Cron, Command: s.Command, Timeout: s.Timeout}
}
