"""Every error the service answers with: each class carries its HTTP status and its stable code.

ServiceError 500            StoreDamaged
├── InvalidRequest 400      InvalidJson, InvalidValue, InvalidShape, InvalidName, InvalidVersion, InvalidHeader,
│                           SignatureNotFound, LabelNotFound, ModelFailed, MalformedRequest, KeyInUrl, BadHttp
├── Unauthorized 401
├── Forbidden 403
├── NotFound 404            ModelNotFound, CircuitNotFound
├── MethodNotAllowed 405
├── BodyTimeout 408         UploadTimeout, HeaderTimeout
├── Conflict 409            VersionExists, VersionInTrash, VersionLabelled, VersionNotReady, FolderModel, NoOlderVersion
├── UnsupportedMediaType 415
├── TooLarge 413
├── UrlTooLong 414
├── UploadRejected 422      the code says why
├── QueueFull 429
├── RateLimited 429
├── HeadersTooLarge 431
├── NotSupported 501        UnsupportedDtype, UnsupportedCoding
├── Unavailable 503         ModelLoading, WorkerLost, TooManyUploads, MemoryBudget, Overloaded
├── DeadlineExceeded 504    CallTimeout
└── DiskFull 507            FolderReadOnly, QuotaExceeded
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Any


class ServiceError(Exception):
    """Something that has an HTTP status, a stable code and a text for the caller.

    Args:
        message: what was found, what was expected, where, and what to do.
        code: replaces the class's code where one class has several.
        details: more than one thing to tell, as JSON objects.
    """

    status = 500
    code = "internal"
    retry_after_s: int | None = None
    is_counted = False  # in the statistics of the version that was asked

    def __init__(self, message: str, code: str | None = None, details: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class StoreDamaged(ServiceError):
    """A file of the store's own cannot be read."""

    code = "store_damaged"


class InvalidRequest(ServiceError):
    """What the caller sent is wrong."""

    status, code = 400, "invalid_request"


class InvalidJson(InvalidRequest):
    """The body is not the JSON that was expected."""

    code = "invalid_json"


class InvalidValue(InvalidRequest):
    """A value has a type or size that its input's dtype does not take."""

    code = "invalid_value"


class InvalidShape(InvalidRequest):
    """Values are ragged or do not have the shape of their input."""

    code = "invalid_shape"


class InvalidName(InvalidRequest):
    """A name that no model, or no label, can have."""

    code = "invalid_name"


class InvalidVersion(InvalidRequest):
    """A number that no version can have."""

    code = "invalid_version"


class InvalidHeader(InvalidRequest):
    """A header that cannot be read."""

    code = "invalid_header"


class SignatureNotFound(InvalidRequest):
    """The model has no such signature."""

    code = "signature_not_found"


class LabelNotFound(InvalidRequest):
    """The model has no such label."""

    code = "label_not_found"


class ModelFailed(InvalidRequest):
    """The model's own graph refused the values."""

    code = "model_failed"


class MalformedRequest(InvalidRequest):
    """No such path below /v1, or not for this method: TensorFlow Serving answers both so."""

    code = "malformed_request"


class KeyInUrl(InvalidRequest):
    """A key in a URL, from where it gets into logs and histories."""

    code = "key_in_url"


class BadHttp(InvalidRequest):
    """What was sent is not HTTP/1.1."""

    code = "bad_http"


class Unauthorized(ServiceError):
    """No key, or one that is not known or not valid any more."""

    status, code = 401, "unauthorized"


class Forbidden(ServiceError):
    """The key is known, but not for this."""

    status, code = 403, "forbidden"


class NotFound(ServiceError):
    """No such path."""

    status, code = 404, "not_found"


class ModelNotFound(NotFound):
    """No such model or version."""

    code = "model_not_found"


class CircuitNotFound(NotFound):
    """The model has no circuit card, none that can be read, or no such layer in it."""

    code = "circuit_not_found"


class MethodNotAllowed(ServiceError):
    """The path exists, but not for this method."""

    status, code = 405, "method_not_allowed"


class BodyTimeout(ServiceError):
    """The request's body did not arrive in time."""

    status, code = 408, "body_timeout"


class HeaderTimeout(BodyTimeout):
    """The request's head did not arrive in time."""

    code = "header_timeout"


class UploadTimeout(BodyTimeout):
    """An upload took longer than one may in all."""

    code = "upload_timeout"


class Conflict(ServiceError):
    """What is there does not allow what was asked."""

    status, code = 409, "conflict"


class VersionExists(Conflict):
    """The version is there already, with other content."""

    code = "version_exists"


class VersionInTrash(Conflict):
    """The version was deleted and can still be restored."""

    code = "version_in_trash"


class VersionLabelled(Conflict):
    """A label points at the version."""

    code = "version_labelled"


class VersionNotReady(Conflict):
    """The version cannot be served, so nothing may point at it."""

    code = "version_not_ready"


class FolderModel(Conflict):
    """The version was put into the folder by an operator, who alone may take it out."""

    code = "folder_model"


class NoOlderVersion(Conflict):
    """There is no ready version to roll back to."""

    code = "no_older_version"


class TooLarge(ServiceError):
    """More bytes or rows than one request may bring."""

    status, code = 413, "payload_too_large"


class UnsupportedMediaType(ServiceError):
    """The body is of a type that is not taken, or not of the type that it was declared to be."""

    status, code = 415, "unsupported_media_type"


class UrlTooLong(ServiceError):
    """A longer URL than is taken."""

    status, code = 414, "url_too_long"


class UploadRejected(ServiceError):
    """A model, uploaded or in the folder, that cannot be accepted or loaded; the code says why."""

    status, code = 422, "bad_archive"


class QueueFull(ServiceError):
    """As many rows wait as may wait."""

    status, code, retry_after_s = 429, "queue_full", 1


class RateLimited(ServiceError):
    """More requests than a caller may make.

    Args:
        message: as of every error.
        retry_after_s: when the next one is taken.
    """

    status, code = 429, "rate_limited"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class HeadersTooLarge(ServiceError):
    """More or longer headers than are taken."""

    status, code = 431, "headers_too_large"


class NotSupported(ServiceError):
    """A part of a protocol that is not there."""

    status, code = 501, "not_supported"


class UnsupportedDtype(NotSupported):
    """A dtype that JSON cannot carry."""

    code = "unsupported_dtype"


class UnsupportedCoding(NotSupported):
    """A Content-Encoding that is not taken."""

    code = "unsupported_coding"


class Unavailable(ServiceError):
    """The model cannot answer now."""

    status, code, retry_after_s = 503, "model_unavailable", 10


class ModelLoading(Unavailable):
    """The model's worker is not ready yet."""

    code, retry_after_s = "model_loading", 1


class WorkerLost(Unavailable):
    """The worker died with this request in its hands."""

    code, retry_after_s = "worker_lost", 1


class TooManyUploads(Unavailable):
    """As many uploads are being received as may be at once."""

    code, retry_after_s = "too_many_uploads", 5


class MemoryBudget(Unavailable):
    """The workers use as much memory as they may, and none of them is idle."""

    code = "memory_budget"


class Overloaded(Unavailable):
    """As many requests are being answered as may be."""

    code, retry_after_s = "overloaded", 1


class DeadlineExceeded(ServiceError):
    """The request waited longer than it may."""

    status, code = 504, "deadline_exceeded"


class CallTimeout(DeadlineExceeded):
    """The model computed longer than one call may; its worker was ended."""

    code = "call_timeout"


class DiskFull(ServiceError):
    """No room for an upload."""

    status, code = 507, "insufficient_storage"
    errnos = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FolderReadOnly(DiskFull):
    """The folder of models cannot be written."""

    code = "folder_read_only"
    errnos = (errno.EROFS, errno.EACCES, errno.EPERM)


class QuotaExceeded(DiskFull):
    """There is no more room for an upload by the operator's limits; the code says by which."""

    code = "quota_exceeded"
