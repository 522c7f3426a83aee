package httpapi

import (
	"context"

	"github.com/setopsco/setops/pkg/api"
)

// InvitationLink is where a browser accepts an invitation.
func InvitationLink(server, token string) string { return server + api.InvitationsPath + token }

type invitationToAccept struct {
	Body api.AcceptInvitation
}

func (s *Server) acceptInvitation(ctx context.Context, in *invitationToAccept) (*answer[api.Accepted], error) {
	u, err := s.Invitations.Accept(ctx, in.Body.Token, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return answered(api.Accepted{Organization: u.Organization, Email: u.Email}), nil
}
