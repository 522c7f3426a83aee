package httpapi

import (
	"context"

	"github.com/setopsco/setops/pkg/api"
)

func (s *Server) showVersion(context.Context, *struct{}) (*answer[api.ServerVersion], error) {
	return answered(api.ServerVersion{Version: s.Version, API: api.Version}), nil
}
