"""What IAM is made of: quotas, errors, CloudFormation's types, what it doesn't do here. Data only.

Quotas: "IAM and AWS STS quotas" in the IAM User Guide.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import AwsError
from . import people, resources

PAGE = 100
TAGS = 50
POLICY_VERSIONS = 5
ACCESS_KEYS = 2
ATTACHED_POLICIES = 10
DEFAULT_SESSION_SECONDS = 3600
INLINE_SIZE = {"group": 5_120, "role": 10_240, "user": 2_048}
GROUPS_OF_A_USER = 10
TRUST_SIZE = 2_048
MANAGED_SIZE = 6_144
KEY_BELIEVED = 5.0
"""Seconds for which a key that was looked up is not looked up again."""

AWS_MANAGED_PREFIX = "arn:aws:iam::aws:policy/"
AWS_MANAGED = Path(__file__).parent / "aws_managed.json"
"""Well-known policies of AWS's own, by what follows the prefix: dates, version and document."""

RESOURCES = {**people.RESOURCES, **resources.RESOURCES}

_REASONS = {
    "there are no identity providers": (
        "AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider CreateSAMLProvider"
        " DeleteOpenIDConnectProvider DeleteSAMLProvider GetOpenIDConnectProvider GetSAMLProvider"
        " ListOpenIDConnectProviderTags ListOpenIDConnectProviders ListSAMLProviderTags ListSAMLProviders"
        " RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider TagSAMLProvider"
        " UntagOpenIDConnectProvider UntagSAMLProvider UpdateOpenIDConnectProviderThumbprint UpdateSAMLProvider"
        " DisableOutboundWebIdentityFederation EnableOutboundWebIdentityFederation"
        " GetOutboundWebIdentityFederationInfo"
    ),
    "there is no console to log in to": (
        "ChangePassword CreateLoginProfile DeleteLoginProfile GetLoginProfile UpdateLoginProfile"
        " DeleteAccountPasswordPolicy GetAccountPasswordPolicy UpdateAccountPasswordPolicy"
    ),
    "there are no MFA devices": (
        "CreateVirtualMFADevice DeactivateMFADevice DeleteVirtualMFADevice EnableMFADevice GetMFADevice"
        " ListMFADeviceTags ListMFADevices ListVirtualMFADevices ResyncMFADevice TagMFADevice UntagMFADevice"
    ),
    "there are no certificates and SSH keys": (
        "DeleteSSHPublicKey DeleteServerCertificate DeleteSigningCertificate GetSSHPublicKey GetServerCertificate"
        " ListSSHPublicKeys ListServerCertificateTags ListServerCertificates ListSigningCertificates"
        " TagServerCertificate UntagServerCertificate UpdateSSHPublicKey UpdateServerCertificate"
        " UpdateSigningCertificate UploadSSHPublicKey UploadServerCertificate UploadSigningCertificate"
    ),
    "there are no service-specific credentials": (
        "CreateServiceSpecificCredential DeleteServiceSpecificCredential ListServiceSpecificCredentials"
        " ResetServiceSpecificCredential UpdateServiceSpecificCredential"
    ),
    "there are no organizations": (
        "DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions"
        " EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions"
        " GenerateOrganizationsAccessReport GetOrganizationsAccessReport ListOrganizationsFeatures"
    ),
    "there are no delegation requests": (
        "AcceptDelegationRequest AssociateDelegationRequest CreateDelegationRequest GetDelegationRequest"
        " GetHumanReadableSummary ListDelegationRequests RejectDelegationRequest SendDelegationToken"
        " UpdateDelegationRequest AcquireRole GetRoleTemplateVersion"
    ),
    "access is not recorded": (
        "GenerateCredentialReport GenerateServiceLastAccessedDetails GetCredentialReport"
        " GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities"
        " ListPoliciesGrantingServiceAccess"
    ),
    "the services make their own roles": (
        "CreateServiceLinkedRole DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus"
    ),
    "accounts have no settings": (
        "GetAccountProperties PutAccountProperties SetSecurityTokenServicePreferences"
    ),
}
UNSUPPORTED = {
    operation: reason for reason, operations in _REASONS.items() for operation in operations.split()
}


def no_such_entity(kind: str, name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.")


def no_such_inline(kind: str, name: str, policy: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The {kind} policy with name {policy} cannot be found.")


def no_such_policy(arn: str) -> AwsError:
    return AwsError("NoSuchEntity", f"Policy {arn} was not found.")


def policy_absent(arn: str) -> AwsError:
    return AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def no_such_version(arn: str, version: str) -> AwsError:
    return AwsError("NoSuchEntity", f"Policy {arn} version {version} does not exist or is not attachable.")


def no_such_key(key: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The Access Key with id {key} cannot be found.")


def already_exists(kind: str, name: str) -> AwsError:
    return AwsError("EntityAlreadyExists", f"{kind.capitalize()} with name {name} already exists.")


def policy_exists(name: str) -> AwsError:
    text = f"A policy called {name} already exists. Duplicate names are not allowed."
    return AwsError("EntityAlreadyExists", text)


def must_detach() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.")


def must_delete_policies() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.")


def must_delete_keys() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete entity, must delete access keys first.")


def must_remove_users() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete entity, must remove users from group first.")


def must_leave_groups() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete entity, must remove user from group first.")


def too_many_groups() -> AwsError:
    return AwsError("LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {GROUPS_OF_A_USER}")


def profile_has_role() -> AwsError:
    return AwsError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")


def must_remove_roles() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")


def no_such_alias(alias: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The account alias {alias} cannot be found.")


def invalid_input(text: str) -> AwsError:
    return AwsError("InvalidInput", text)


def policy_in_use() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete a policy attached to entities.")


def policy_has_versions() -> AwsError:
    text = (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
        " The default version is deleted with the policy."
    )
    return AwsError("DeleteConflict", text)


def default_version() -> AwsError:
    return AwsError("DeleteConflict", "Cannot delete the default version of a policy.")


def too_many_versions() -> AwsError:
    text = (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing"
        " version."
    )
    return AwsError("LimitExceeded", text)


def too_many_keys() -> AwsError:
    return AwsError("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS}")


def too_many_attached(kind: str) -> AwsError:
    quota = f"PoliciesPer{kind.capitalize()}"
    return AwsError("LimitExceeded", f"Cannot exceed quota for {quota}: {ATTACHED_POLICIES}")


def inline_too_large(kind: str, name: str) -> AwsError:
    text = f"Maximum policy size of {INLINE_SIZE[kind]} bytes exceeded for {kind} {name}"
    return AwsError("LimitExceeded", text)


def too_large(quota: str, limit: int) -> AwsError:
    return AwsError("LimitExceeded", f"Cannot exceed quota for {quota}: {limit}")


def too_many_tags() -> AwsError:
    return AwsError("LimitExceeded", "The number of tags has reached the maximum limit.")


def duplicate_tags() -> AwsError:
    text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    return AwsError("InvalidInput", text)


def aws_managed_is_fixed(arn: str) -> AwsError:
    return AwsError("AccessDenied", f"Policy {arn} is owned by AWS and cannot be changed.", status=403)


def malformed(text: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", text)


def user_name_required() -> AwsError:
    return AwsError("ValidationError", "Must specify userName when calling with non-User credentials")


def inactive_key() -> AwsError:
    text = "The security token included in the request is invalid."
    return AwsError("InvalidClientTokenId", text, status=403)


def invalid_arn(arn: str) -> AwsError:
    return AwsError("InvalidInput", f"ARN {arn} is not valid.")
